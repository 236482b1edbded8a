//go:build testall

package testbed

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

//go:embed stack.py
var stackProgram string

// stackOnce keeps the stack that all tests of a binary share.
var stackOnce struct {
	sync.Once
	made *Stack
	err  error
}

// motoTemplate is the stack that stack.py makes at moto.
func motoTemplate(t testing.TB) *Stack {
	t.Helper()
	stackOnce.Do(func() {
		stackOnce.err = errFirst
		account := accountAt(t, Moto(t), nextAccount())
		account.HTTPClient = nil // that one ends with t
		stackOnce.made, stackOnce.err = makeStack(t.Context(), account)
	})
	if stackOnce.err != nil {
		t.Fatal(stackOnce.err)
	}
	return stackOnce.made
}

func makeStack(ctx context.Context, account aws.Config) (*Stack, error) {
	keys, err := account.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, err
	}
	s := &Stack{Account: account}
	err = runStack(ctx, s, []string{
		"AWS_ENDPOINT_URL=" + *account.BaseEndpoint, "AWS_ACCESS_KEY_ID=" + keys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "AWS_SESSION_TOKEN=" + keys.SessionToken,
	})
	return s, err
}

// Lint returns what cfn-lint says of template.yaml and of its expansion, by
// file: "" where it finds nothing.
func Lint(t testing.TB) map[string]string {
	t.Helper()
	said := map[string]string{}
	if err := runStack(t.Context(), &said, nil, "lint"); err != nil {
		t.Fatal(err)
	}
	return said
}

// stackWithin bounds a run of stack.py.
const stackWithin = 5 * time.Minute

// runStack runs stack.py on template.yaml. It prints its findings as JSON.
func runStack(ctx context.Context, into any, env []string, mode ...string) error {
	root, err := repository()
	if err != nil {
		return err
	}
	return runStackOf(ctx, filepath.Join(root, "template.yaml"), into, env, mode...)
}

// runStackOf runs stack.py on another template.
func runStackOf(ctx context.Context, template string, into any, env []string, mode ...string) error {
	python, err := python()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "tokenvend-stack-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(ctx, stackWithin)
	defer cancel()
	line := append([]string{
		"-c", stackProgram, template, filepath.Join(dir, "expansion.json"),
	}, mode...)
	cmd := exec.CommandContext(ctx, python, line...)
	cmd.Env = append(append(cmd.Environ(), env...), "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true")
	var said bytes.Buffer
	cmd.Stderr = &said
	answer, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		return fmt.Errorf("testbed: stack.py: %w\n%s", err, said.Bytes())
	}
	return nil
}

// newGolden is what the golden file has to hold.
func newGolden(ctx context.Context) ([]byte, error) {
	root, err := repository()
	if err != nil {
		return nil, err
	}
	// Of the expansion all is kept, more than is read back.
	var answer map[string]any
	if err := runStack(ctx, &answer, nil, "golden"); err != nil {
		return nil, err
	}
	delete(answer, "api_text") // docs/reference/openapi.yaml holds it
	if answer["source"], err = sourceSum(root); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(answer, "", " ")
	return append(data, '\n'), err
}
