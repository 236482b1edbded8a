package testbed

import (
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/internal/standin"
)

// standIn is the stand-in for AWS in Go that all tests of a binary share.
var standIn = sync.OnceValue(func() Endpoint {
	return Endpoint(httptest.NewServer(new(standin.Server)).URL)
})

// StandIn is [standin.Server], over HTTP.
func StandIn(testing.TB) Endpoint { return standIn() }

// StandInAccount is an empty AWS account on [StandIn].
func StandInAccount(t testing.TB) aws.Config {
	t.Helper()
	return accountAt(t, StandIn(t), nextAccount())
}
