package testbed

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// motoVersion is what is installed where the machine has no moto_server of its own.
const motoVersion = "5.2.1"

var moto = share(func() (server, error) {
	program, err := motoProgram()
	if err != nil {
		return server{}, err
	}
	return server{name: "moto", command: func(port int) []string {
		return append(program[:len(program):len(program)], "-H", "127.0.0.1", "-p", strconv.Itoa(port))
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

// motoProgram is the machine's moto_server, else one in a virtual environment of the repository.
func motoProgram() ([]string, error) {
	if path, err := exec.LookPath("moto_server"); err == nil {
		return []string{path}, nil
	}
	python, err := program("python3", "Python 3.10 or newer, with venv")
	if err != nil {
		return nil, err
	}
	dir, err := installed("moto-"+motoVersion, func(dir string) error { return installMoto(python, dir) })
	if err != nil {
		return nil, err
	}
	// Not bin/moto_server: its first line names the folder where it was installed, and the folder has moved since.
	return []string{inVenv(dir), "-m", "moto.server"}, nil
}

// installMoto takes the package index from the machine's own settings.
func installMoto(python, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	for _, line := range [][]string{
		{python, "-m", "venv", dir},
		{inVenv(dir), "-m", "pip", "install", "--quiet", "moto[server]==" + motoVersion},
	} {
		if said, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", line[1], line[2], err, said)
		}
	}
	return nil
}

func inVenv(dir string) string { return filepath.Join(dir, "bin", "python") }
