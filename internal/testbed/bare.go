//go:build !testall

package testbed

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Without the build tag testall, tests need nothing but Go: AWS is stood in for
// by internal/standin alone. With it, emulators.go takes the place of this
// file.

// DynamoDB is where a test that needs a DynamoDB finds it: at the stand-in in
// Go, or at dynalite with the build tag testall.
func DynamoDB(t testing.TB) Endpoint { return StandIn(t) }

// AWS is where a test finds the other services: at the stand-in in Go, or at
// moto with the build tag testall.
func AWS(t testing.TB) Endpoint { return StandIn(t) }

// DynamoDBs are all that stands in for DynamoDB, by name. A contract suite runs
// on each.
func DynamoDBs() map[string]func(testing.TB) Endpoint {
	return map[string]func(testing.TB) Endpoint{"standin": StandIn}
}

// Accounts are empty accounts on all that stands in for the other services, by
// name. A contract suite runs on each.
func Accounts() map[string]func(testing.TB) aws.Config {
	return map[string]func(testing.TB) aws.Config{"standin": StandInAccount}
}

// Template is what becomes of the repository's template.yaml at the stand-in in
// Go. All tests of a binary share one, its account and its sealing key.
func Template(t testing.TB) *Stack {
	t.Helper()
	return GoldenTemplate(t)
}
