//go:build !testall

package testbed

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Without the build tag testall, tests need nothing but Go: AWS is stood in for
// by internal/standin alone. With it, emulators.go takes the place of this
// file.

// DynamoDB returns the DynamoDB for tests: the stand-in in Go, or dynalite with
// the build tag testall.
func DynamoDB(t testing.TB) Endpoint { return StandIn(t) }

// AWS returns the other services for tests: the stand-in in Go, or moto with
// the build tag testall.
func AWS(t testing.TB) Endpoint { return StandIn(t) }

// DynamoDBs returns all implementations of DynamoDB by name. A contract suite
// runs on each.
func DynamoDBs() map[string]func(testing.TB) Endpoint {
	return map[string]func(testing.TB) Endpoint{"standin": StandIn}
}

// Accounts returns an empty account at each implementation of the other
// services, by name. A contract suite runs on each.
func Accounts() map[string]func(testing.TB) aws.Config {
	return map[string]func(testing.TB) aws.Config{"standin": StandInAccount}
}

// Template returns the stack of template.yaml at the stand-in in Go. All tests
// of a binary share it, with its account and its sealing key.
func Template(t testing.TB) *Stack {
	t.Helper()
	return GoldenTemplate(t)
}
