package testbed

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// accounts counts the accounts that were assigned.
var accounts atomic.Int64

// Account returns a new, empty AWS account on [AWS]. A program with its
// credentials and BaseEndpoint in the environment can use it too. Requests are
// not retried.
func Account(t testing.TB) aws.Config {
	t.Helper()
	return accountAt(t, AWS(t), nextAccount())
}

// nextAccount returns an unused account ID.
func nextAccount() string { return fmt.Sprintf("%012d", accounts.Add(1)) }

// accountAt returns the account with that ID, using STS at that endpoint. The
// assumed role need not exist.
func accountAt(t testing.TB, at Endpoint, id string) aws.Config {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	cfg := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: aws.String(string(at)),
		Credentials:  credentials.NewStaticCredentialsProvider("any", "any", ""),
		HTTPClient:   &http.Client{Transport: transport},
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
	role := "arn:aws:iam::" + id + ":role/test"
	in := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: aws.String("test")}
	out, err := sts.NewFromConfig(cfg).AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatalf("testbed: AssumeRole(%s) at %s: %v", role, at, err)
	}
	c := out.Credentials
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return cfg
}
