//go:build testall

package testbed

import (
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

var moto = share(func() (server, error) {
	python, err := python()
	if err != nil {
		return server{}, err
	}
	return server{name: "moto", command: func(port int) []string {
		return []string{python, "-m", "moto.server", "-H", "127.0.0.1", "-p", strconv.Itoa(port)}
	}}, nil
})

// Moto stands in for Secrets Manager, KMS, STS, IAM and Lambda. All tests of a
// binary share one. It evaluates no IAM policies, and after a rotation a
// GetSecretValue that names no stage answers with the version before.
func Moto(t testing.TB) Endpoint {
	t.Helper()
	return moto(t)
}

// DynamoDB is where a test that needs a DynamoDB finds it: at the stand-in in
// Go, or at dynalite with the build tag testall.
func DynamoDB(t testing.TB) Endpoint { return Dynalite(t) }

// AWS is where a test finds the other services: at the stand-in in Go, or at
// moto with the build tag testall.
func AWS(t testing.TB) Endpoint { return Moto(t) }

// DynamoDBs are all that stands in for DynamoDB, by name. A contract suite runs
// on each.
func DynamoDBs() map[string]func(testing.TB) Endpoint {
	return map[string]func(testing.TB) Endpoint{
		"standin": StandIn, "dynalite": Dynalite, "DynamoDBLocal": DynamoDBLocal,
	}
}

// Accounts are empty accounts on all that stands in for the other services, by
// name. A contract suite runs on each.
func Accounts() map[string]func(testing.TB) aws.Config {
	return map[string]func(testing.TB) aws.Config{
		"standin": StandInAccount,
		"moto":    func(t testing.TB) aws.Config { return accountAt(t, Moto(t), nextAccount()) },
	}
}

// Template is what becomes of the repository's template.yaml at moto. All tests
// of a binary share one, its account and its sealing key.
func Template(t testing.TB) *Stack {
	t.Helper()
	return motoTemplate(t)
}
