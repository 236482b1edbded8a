package functions_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// statement returns the policy of docs/guide/aws.md that allows an action, with
// its placeholders filled in.
func statement(t *testing.T, action string) testbed.Policy {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "guide", "aws.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], `"Action": "`+action+`"`) {
			filled := strings.NewReplacer("REGION", "us-east-1", "ACCOUNT", "123456789012", ":API/", ":abc123/", "…",
				"1").Replace(block[1])
			var s testbed.Statement
			if err := json.Unmarshal([]byte(filled), &s); err != nil {
				t.Fatal(err)
			}
			return testbed.Policy{s}
		}
	}
	t.Fatalf("docs/guide/aws.md has no statement for %s, want one", action)
	return nil
}

// reader checks what a policy of docs/guide/aws.md allows.
type reader struct {
	*testing.T
	policy testbed.Policy
	ask    func(what string) testbed.AccessRequest
}

func (r reader) allow(all ...string) { r.Helper(); r.check(true, all) }

func (r reader) deny(all ...string) { r.Helper(); r.check(false, all) }

func (r reader) check(want bool, all []string) {
	r.Helper()
	for _, what := range all {
		if a := r.ask(what); r.policy.Evaluate(a) != want {
			r.Errorf("Evaluate(%s on %s) = %t, want %t", a.Action, a.Resource, !want, want)
		}
	}
}

func TestGuidePolicyForTheAPI(t *testing.T) {
	t.Parallel()
	r := reader{t, statement(t, "execute-api:Invoke"), func(what string) testbed.AccessRequest {
		method, path, _ := strings.Cut(what, " ")
		return testbed.AccessRequest{Action: "execute-api:Invoke",
			Resource: "arn:aws:execute-api:us-east-1:123456789012:abc123/$default/" + method + path}
	}}
	r.allow("GET /tokens/minut", "POST /tokens/minut")
	r.deny("DELETE /tokens/minut", "PUT /tokens/minut", "GET /tokens/minut/status", "GET /tokens", "GET /tokens/")
	r.deny("GET /tokens/monta", "GET /tokens/minut-eu", "GET /tokens/minu", "GET /tokens/MINUT", "GET /tokens/minut/")
}

func TestGuidePolicyForAnotherLambda(t *testing.T) {
	t.Parallel()
	on := func(what string) testbed.AccessRequest {
		return testbed.AccessRequest{Action: "lambda:InvokeFunction",
			Resource: "arn:aws:lambda:us-east-1:123456789012:function:tokenvend-VendFunction-1" + what}
	}
	r := reader{t, statement(t, "lambda:InvokeFunction"), on}
	r.allow(":c-minut")
	r.deny("", ":admin", ":api", ":c-monta", ":c-minut-eu", ":$LATEST", ":1", "2:c-minut")

	// SAM's LambdaInvokePolicy writes this; the page warns of it.
	wide := reader{t, testbed.Policy{{Effect: "Allow", Action: testbed.OneOrMore{"lambda:InvokeFunction"},
		Resource: testbed.OneOrMore{on("").Resource + "*"}}}, on}
	wide.allow("", ":admin", ":api", ":c-monta")
}
