// Package standin_test compares the stand-ins with the emulators: each test
// runs on the stand-in in Go and, with the build tag testall, on dynalite,
// DynamoDB Local and moto.
package standin_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// service is one service at one endpoint. Requests do not pass through the SDK,
// which would validate them.
type service struct {
	t        testing.TB
	endpoint string
	name     string // for the signature
	target   string // the prefix of X-Amz-Target
	keys     aws.Credentials
}

// anybody are credentials that no implementation checks.
var anybody = aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}

// answer is a response: an error code, or members.
type answer struct {
	code    string // "" for success
	members map[string]any
}

// call sends one request. A network error is fatal.
func (s service) call(action, body string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.endpoint+"/", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("X-Amz-Target", s.target+"."+action)
	r.Header.Set("Content-Type", map[string]string{"dynamodb": "application/x-amz-json-1.0"}[s.name])
	if s.name != "dynamodb" {
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(
		s.t.Context(), s.keys, r, hex.EncodeToString(sum[:]), s.name, "us-east-1", time.Now(),
	); err != nil {
		s.t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatalf("%s(%s): %v", action, body, err)
	}
	defer func() { _ = reply.Body.Close() }()
	data, err := io.ReadAll(reply.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	var a answer
	numbers := json.NewDecoder(bytes.NewReader(data))
	numbers.UseNumber()
	if err := numbers.Decode(&a.members); err != nil && len(data) > 0 {
		s.t.Fatalf("%s(%s) = %d %q: %v", action, body, reply.StatusCode, data, err)
	}
	if reply.StatusCode != http.StatusOK {
		code, _ := a.members["__type"].(string)
		a.code = code[strings.LastIndexByte(code, '#')+1:]
	}
	return a
}

// must is call for a request that has to succeed.
func (s service) must(action, body string) map[string]any {
	s.t.Helper()
	a := s.call(action, body)
	if a.code != "" {
		s.t.Fatalf("%s(%s) = %s %v, want success", action, body, a.code, a.members["message"])
	}
	return a.members
}

// want checks the error code of a response; "" is success.
func (s service) want(code, action, body string) map[string]any {
	s.t.Helper()
	a := s.call(action, body)
	if a.code != code {
		s.t.Errorf("%s(%s) = %q %v, want %q", action, body, a.code, a.members["message"], code)
	}
	return a.members
}

// moto reports whether this is moto, which differs from AWS in some cases.
func (s service) moto() bool { return strings.HasSuffix(s.t.Name(), "moto") }

// onEachAccount runs a test on a service of an empty account at each
// implementation.
func onEachAccount(t *testing.T, name, target string, test func(t *testing.T, s service)) {
	for backend, account := range testbed.Accounts() {
		t.Run(backend, func(t *testing.T) {
			cfg := account(t)
			keys, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			test(t, service{t: t, endpoint: *cfg.BaseEndpoint, name: name, target: target, keys: keys})
		})
	}
}

// compact returns an item of DynamoDB in one line, sorted by name.
func compact(it any) string {
	attributes, _ := it.(map[string]any)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		parts = append(parts, name+"="+plain(attributes[name]))
	}
	return strings.Join(parts, " ")
}

// plain returns an attribute's value as text. The order of a set does not
// matter.
func plain(v any) string {
	for kind, value := range v.(map[string]any) {
		switch value := value.(type) {
		case []any:
			var parts []string
			for _, one := range value {
				if kind == "L" {
					parts = append(parts, plain(one))
				} else {
					parts = append(parts, fmt.Sprint(one))
				}
			}
			if kind != "L" {
				slices.Sort(parts)
			}
			return "[" + strings.Join(parts, ",") + "]"
		case map[string]any:
			return "{" + compact(value) + "}"
		default:
			return fmt.Sprint(value)
		}
	}
	return ""
}
