package testbed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"
)

// golden is testdata/template.json: what AWS's translator makes of
// template.yaml. TestGoldenTemplate, which needs the translator, keeps it.
type golden struct {
	Source       string            `json:"source"` // the sum of template.yaml
	Expansion    expansion         `json:"expansion"`
	Integrations []json.RawMessage `json:"integrations"`
	API          json.RawMessage   `json:"api"`
	APISum       string            `json:"api_sum"`
}

// How to write the golden file anew.
const writeGolden = "make template"

func goldenFile() (root, path string, err error) {
	root, err = repository()
	return root, filepath.Join(root, "internal", "testbed", "testdata", "template.json"), err
}

// sourceSum is the SHA-256 of template.yaml, without lines that hold nothing
// but a comment.
func sourceSum(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "template.yaml"))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for line := range bytes.Lines(text) {
		if plain := bytes.TrimSpace(line); len(plain) > 0 && plain[0] != '#' {
			_, _ = sum.Write(line) // never fails
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// readGolden reads the golden file, and refuses one of another template.
func readGolden() (g golden, err error) {
	root, path, err := goldenFile()
	if err != nil {
		return g, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return g, err
	}
	if err := json.Unmarshal(data, &g); err != nil {
		return g, fmt.Errorf("testbed: %s: %w", path, err)
	}
	sum, err := sourceSum(root)
	if err == nil && sum != g.Source {
		err = fmt.Errorf("testbed: template.yaml has changed, and %s is of what it was: run %s", path, writeGolden)
	}
	return g, err
}

// goldenOnce keeps the stack that all tests of a binary share.
var goldenOnce struct {
	sync.Once
	made *Stack
	err  error
}

// errFirst stands where the first test that asked ended before there was a
// stack.
var errFirst = errors.New("testbed: there is no stack; the first test that asked for it says why")

// GoldenTemplate is the stack of the golden template at [StandIn].
func GoldenTemplate(t testing.TB) *Stack {
	t.Helper()
	goldenOnce.Do(func() {
		goldenOnce.err = errFirst
		id := nextAccount()
		account := accountAt(t, StandIn(t), id)
		account.HTTPClient = nil // that one ends with t
		goldenOnce.made, goldenOnce.err = goldenStack(t.Context(), account, id, nil)
	})
	if goldenOnce.err != nil {
		t.Fatal(goldenOnce.err)
	}
	return goldenOnce.made
}

// GoldenTemplateWith is a stack of the golden template at [StandIn], in an
// account of its own and with further parameters, which may name what is in
// that account.
func GoldenTemplateWith(t testing.TB, parameters func(account aws.Config) map[string]any) *Stack {
	t.Helper()
	id := nextAccount()
	account := accountAt(t, StandIn(t), id)
	s, err := goldenStack(t.Context(), account, id, parameters(account))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// goldenStack makes the stack of the golden template in an account.
func goldenStack(ctx context.Context, account aws.Config, id string, more map[string]any) (*Stack, error) {
	g, err := readGolden()
	if err != nil {
		return nil, err
	}
	var made [2]string // the key of the secrets, and the one that seals
	for i := range made {
		out, err := kms.NewFromConfig(account).CreateKey(ctx, &kms.CreateKeyInput{})
		if err != nil {
			return nil, err
		}
		made[i] = *out.KeyMetadata.Arn
	}
	given := Parameters{Table: stackName + "-TokenTable-1", SecretPrefix: "the-secret-prefix/", SealID: "the-seal-id"}
	all := map[string]any{"SecretPrefix": given.SecretPrefix, "SealId": given.SealID, "SecretKeyArn": made[0]}
	maps.Copy(all, more)
	r := newResolver(g.Expansion, id, made[1], all)
	s := &Stack{
		Account: account, SecretKey: made[0], Parameters: given, Integrations: g.Integrations, API: g.API,
		APISum:    g.APISum,
		Functions: map[string]Function{}, Aliases: map[string]string{},
	}
	for name, resource := range g.Expansion.Resources {
		if err := s.take(name, resource.Type, r); err != nil {
			return nil, fmt.Errorf("testbed: the resource %s of the golden template: %w", name, err)
		}
	}
	return s, nil
}

// take adds what a resource says to the stack.
func (s *Stack) take(name, kind string, r *resolver) error {
	switch kind {
	case "AWS::Lambda::Function":
		f, err := r.function(name)
		s.Functions[name] = f
		return err
	case "AWS::Lambda::Alias":
		var alias struct{ Name, FunctionVersion string }
		err := r.properties(name, &alias)
		s.Aliases[alias.Name] = alias.FunctionVersion
		return err
	case "AWS::DynamoDB::Table":
		var ttl struct {
			TimeToLiveSpecification struct{ AttributeName string }
		}
		if err := r.properties(name, &ttl); err != nil {
			return err
		}
		s.TTL = ttl.TimeToLiveSpecification.AttributeName
		s.Table = &dynamodb.CreateTableInput{}
		err := r.properties(name, s.Table)
		s.Table.DeletionProtectionEnabled, s.Table.SSESpecification = nil, nil // of no use in tests
		return err
	}
	return nil
}

// function resolves a function and the policies of its role.
func (r *resolver) function(name string) (f Function, err error) {
	var said struct {
		Environment struct{ Variables map[string]string }
		Timeout     int
		MemorySize  json.Number
		Role        string
	}
	if err := r.properties(name, &said); err != nil {
		return f, err
	}
	memory, err := strconv.Atoi(said.MemorySize.String())
	if err != nil {
		return f, err
	}
	f = Function{
		Name: name, ARN: r.attribute(name, "Arn"), Role: said.Role,
		Environment: said.Environment.Variables, Timeout: said.Timeout, Memory: memory,
	}
	for role, resource := range r.Resources {
		if resource.Type != "AWS::IAM::Role" || r.attribute(role, "Arn") != f.Role {
			continue
		}
		var policies struct {
			Policies []struct {
				PolicyDocument struct{ Statement Policy }
			}
		}
		if err := r.properties(role, &policies); err != nil {
			return f, err
		}
		for _, p := range policies.Policies {
			f.Policy = append(f.Policy, p.PolicyDocument.Statement...)
		}
	}
	return f, nil
}

// Expansion returns the CloudFormation that AWS's translator makes of
// template.yaml. It fails where template.yaml has changed since. The program
// that packages the stack uses it.
func Expansion() (json.RawMessage, error) {
	if _, err := readGolden(); err != nil {
		return nil, err
	}
	_, path, err := goldenFile()
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var g struct{ Expansion json.RawMessage }
	err = json.Unmarshal(data, &g)
	return g.Expansion, err
}
