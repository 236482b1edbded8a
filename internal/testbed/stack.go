package testbed

import (
	"encoding/json"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Stack is what becomes of the repository's template.yaml: expanded, and made
// in an account of its own on [AWS]. So tests need no second copy of what it
// says.
type Stack struct {
	Account   aws.Config          `json:"-"`
	Functions map[string]Function `json:"functions"` // by their names in the template
	// what it was made with: words that stand nowhere else in it
	Parameters Parameters `json:"parameters"`
	// the ARN of the key that secrets are to be encrypted under
	SecretKey string                     `json:"secret_key"`
	Aliases   map[string]string          `json:"aliases"` // what each stands on
	Table     *dynamodb.CreateTableInput `json:"table"`   // without a name
	// the attribute that says when an item may be dropped
	TTL          string            `json:"ttl"`
	Integrations []json.RawMessage `json:"integrations"`
	// the OpenAPI document, without what is API Gateway's alone
	API     json.RawMessage `json:"api"`
	APISum  string          `json:"api_sum"`  // the SHA-256 of the same as YAML, in hex
	APIText string          `json:"api_text"` // that YAML; "" without the build tag testall
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

// Parameters are what one house on the stack has of its own. They stand for the
// template's parameters of those names, and for the name of its table.
type Parameters struct {
	Table        string `json:"table"`
	SecretPrefix string `json:"secret_prefix"`
	SealID       string `json:"seal_id"`
}

// Deployed returns the functions as the template makes them with those
// parameters: in their settings as in their policies.
func (s *Stack) Deployed(t testing.TB, p Parameters) map[string]Function {
	t.Helper()
	made, err := json.Marshal(s.Functions)
	if err != nil {
		t.Fatal(err)
	}
	with := strings.NewReplacer(
		s.Parameters.Table, p.Table, s.Parameters.SecretPrefix, p.SecretPrefix, s.Parameters.SealID, p.SealID,
	)
	var functions map[string]Function
	if err := json.Unmarshal([]byte(with.Replace(string(made))), &functions); err != nil {
		t.Fatal("testbed: parameters that are no plain names: ", err)
	}
	return functions
}

// tables counts those that were made.
var tables atomic.Int64

// CreateTable makes the stack's table anew at a DynamoDB, under a name that no
// other test of this binary has. client must reach it.
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
