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

// Moto runs moto for Secrets Manager, KMS, STS, IAM and Lambda. All tests of a
// binary share one. It evaluates no IAM policies. After a rotation, a
// GetSecretValue without a stage returns the previous version.
func Moto(t testing.TB) Endpoint {
	t.Helper()
	return moto(t)
}

// DynamoDB returns the DynamoDB for tests: the stand-in in Go, or dynalite with
// the build tag testall.
func DynamoDB(t testing.TB) Endpoint { return Dynalite(t) }

// AWS returns the other services for tests: the stand-in in Go, or moto with
// the build tag testall.
func AWS(t testing.TB) Endpoint { return Moto(t) }

// DynamoDBs returns all implementations of DynamoDB by name. A contract suite
// runs on each.
func DynamoDBs() map[string]func(testing.TB) Endpoint {
	return map[string]func(testing.TB) Endpoint{
		"standin": StandIn, "dynalite": Dynalite, "DynamoDBLocal": DynamoDBLocal,
	}
}

// Accounts returns an empty account at each implementation of the other
// services, by name. A contract suite runs on each.
func Accounts() map[string]func(testing.TB) aws.Config {
	return map[string]func(testing.TB) aws.Config{
		"standin": StandInAccount,
		"moto":    func(t testing.TB) aws.Config { return accountAt(t, Moto(t), nextAccount()) },
	}
}

// Template returns the stack of template.yaml at moto. All tests of a binary
// share it, with its account and its sealing key.
func Template(t testing.TB) *Stack {
	t.Helper()
	return motoTemplate(t)
}
