package testbed

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

//go:embed stack.py
var stackProgram string

// Stack is what becomes of the repository's template.yaml: expanded, and made in an account of its own on [Moto]. So tests need no second copy of what it says.
type Stack struct {
	Account      aws.Config                 `json:"-"`
	Functions    map[string]Function        `json:"functions"`  // by their names in the template
	Parameters   Parameters                 `json:"parameters"` // what it was made with: words that stand nowhere else in it
	SecretKey    string                     `json:"secret_key"` // the ARN of the key that secrets are to be encrypted under
	Aliases      map[string]string          `json:"aliases"`    // what each stands on
	Table        *dynamodb.CreateTableInput `json:"table"`      // without a name
	TTL          string                     `json:"ttl"`        // the attribute that says when an item may be dropped
	Integrations []json.RawMessage          `json:"integrations"`
	API          json.RawMessage            `json:"api"`      // the OpenAPI document, without what is API Gateway's alone
	APIText      string                     `json:"api_text"` // the same as YAML
}

// Function is a function with its settings and its role's policies resolved.
type Function struct {
	Name        string            `json:"name"` // in the template
	ARN         string            `json:"arn"`  // without an alias
	Role        string            `json:"role"` // its ARN
	Environment map[string]string `json:"environment"`
	Timeout     int               `json:"timeout"` // seconds
	Memory      int               `json:"memory"`  // MB
	Policy      Policy            `json:"policy"`
}

// account is the id of the function's account.
func (f Function) account() string { return strings.Split(f.Role, ":")[4] }

// Parameters are what one house on the stack has of its own. They stand for the template's parameters of those names, and for the name of its table.
type Parameters struct {
	Table        string `json:"table"`
	SecretPrefix string `json:"secret_prefix"`
	SealID       string `json:"seal_id"`
}

// Deployed returns the functions as the template makes them with those parameters: in their settings as in their policies.
func (s *Stack) Deployed(t testing.TB, p Parameters) map[string]Function {
	t.Helper()
	made, err := json.Marshal(s.Functions)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.NewReplacer(s.Parameters.Table, p.Table, s.Parameters.SecretPrefix, p.SecretPrefix, s.Parameters.SealID, p.SealID)
	var functions map[string]Function
	if err := json.Unmarshal([]byte(with.Replace(string(made))), &functions); err != nil {
		t.Fatal("testbed: parameters that are no plain names: ", err)
	}
	return functions
}

// stackOnce keeps the stack that all tests of a binary share.
var stackOnce struct {
	sync.Once
	made *Stack
	err  error
}

// errFirst stands where the first test that asked ended before there was a stack.
var errFirst = errors.New("testbed: there is no stack; the first test that asked for it says why")

// Template is the stack of the repository's template.yaml. All tests of a binary share one, its account and its sealing key.
func Template(t testing.TB) *Stack {
	t.Helper()
	stackOnce.Do(func() {
		stackOnce.err = errFirst
		account := MotoAccount(t)
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

// Lint returns what cfn-lint says of template.yaml and of its expansion, by file: "" where it finds nothing.
func Lint(t testing.TB) map[string]string {
	t.Helper()
	said := map[string]string{}
	if err := runStack(t.Context(), &said, nil, "lint"); err != nil {
		t.Fatal(err)
	}
	return said
}

// stackWithin bounds a run of stack.py.
const stackWithin = 2 * time.Minute

// runStack runs stack.py, which tells its findings as JSON.
func runStack(ctx context.Context, into any, env []string, mode ...string) error {
	python, err := python()
	if err != nil {
		return err
	}
	root, err := repository()
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
	line := append([]string{"-c", stackProgram, filepath.Join(root, "template.yaml"), filepath.Join(dir, "expansion.json")}, mode...)
	cmd := exec.CommandContext(ctx, python, line...)
	cmd.Env = append(append(cmd.Environ(), env...), "AWS_DEFAULT_REGION=us-east-1", "AWS_EC2_METADATA_DISABLED=true")
	var said bytes.Buffer
	cmd.Stderr = &said
	told, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(told, into)
	}
	if err != nil {
		return fmt.Errorf("testbed: stack.py: %w\n%s", err, said.Bytes())
	}
	return nil
}

// tables counts those that were made.
var tables atomic.Int64

// CreateTable makes the stack's table anew at a DynamoDB, under a name that no other test of this binary has. client must reach it.
func (s *Stack) CreateTable(t testing.TB, client *dynamodb.Client) (name string) {
	t.Helper()
	name = "tokens-" + strconv.FormatInt(tables.Add(1), 10)
	input := *s.Table
	input.TableName = &name
	if _, err := client.CreateTable(t.Context(), &input); err != nil {
		t.Fatal(err)
	}
	return name
}
