package testbed

import (
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
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

// Moto stands for Secrets Manager, KMS, STS and IAM. All tests of a binary share one; what two of them make with the same name is kept apart by [MotoAccount].
// It is no judge of IAM policies, and after a rotation a GetSecretValue that names no stage answers the version before.
func Moto(t testing.TB) Endpoint {
	t.Helper()
	return moto(t)
}

// motoAccounts counts the accounts that were handed out.
var motoAccounts atomic.Int64

// MotoAccount is an empty AWS account on [Moto] that no other test of this binary has. Its credentials and its BaseEndpoint serve a program in its environment just as well. Nothing is tried twice.
func MotoAccount(t testing.TB) aws.Config {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(string(Moto(t))),
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
		HTTPClient:   &http.Client{Transport: transport},
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
	role := fmt.Sprintf("arn:aws:iam::%012d:role/test", motoAccounts.Add(1)) // a role need not exist to be assumed here
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("test")})
	if err != nil {
		t.Fatal("testbed: an account on moto: ", err)
	}
	c := out.Credentials
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return cfg
}
