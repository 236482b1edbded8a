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

// statement is a policy of the README's that grants an action, with the README's placeholders filled in.
func statement(t *testing.T, action string) testbed.Policy {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if strings.Contains(block[1], `"Action": "`+action+`"`) {
			filled := strings.NewReplacer("REGION", "us-east-1", "ACCOUNT", "123456789012", ":API/", ":abc123/", "…", "1").Replace(block[1])
			var s testbed.Statement
			if err := json.Unmarshal([]byte(filled), &s); err != nil {
				t.Fatal(err)
			}
			return testbed.Policy{s}
		}
	}
	t.Fatalf("the README has no statement for %s", action)
	return nil
}

// reader is who has a policy of the README's, and nothing else.
type reader struct {
	*testing.T
	policy testbed.Policy
	ask    func(what string) testbed.AccessRequest
}

func (r reader) allow(all ...string) { r.Helper(); r.judge(true, all) }

func (r reader) deny(all ...string) { r.Helper(); r.judge(false, all) }

func (r reader) judge(want bool, all []string) {
	r.Helper()
	for _, what := range all {
		if a := r.ask(what); r.policy.Evaluate(a) != want {
			r.Errorf("%s on %s: want it allowed: %t", a.Action, a.Resource, want)
		}
	}
}

func TestTheReadmesPolicyForTheAPI(t *testing.T) {
	t.Parallel()
	r := reader{t, statement(t, "execute-api:Invoke"), func(what string) testbed.AccessRequest {
		method, path, _ := strings.Cut(what, " ")
		return testbed.AccessRequest{Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:us-east-1:123456789012:abc123/$default/" + method + path}
	}}
	r.allow("GET /tokens/minut", "POST /tokens/minut")
	r.deny("DELETE /tokens/minut", "PUT /tokens/minut", "GET /tokens/minut/status", "GET /tokens", "GET /tokens/")
	r.deny("GET /tokens/monta", "GET /tokens/minut-eu", "GET /tokens/minu", "GET /tokens/MINUT", "GET /tokens/minut/")
}

func TestTheReadmesPolicyForAnotherLambda(t *testing.T) {
	t.Parallel()
	on := func(what string) testbed.AccessRequest {
		return testbed.AccessRequest{Action: "lambda:InvokeFunction", Resource: "arn:aws:lambda:us-east-1:123456789012:function:tokenvend-VendFunction-1" + what}
	}
	r := reader{t, statement(t, "lambda:InvokeFunction"), on}
	r.allow(":c-minut")
	r.deny("", ":admin", ":api", ":c-monta", ":c-minut-eu", ":$LATEST", ":1", "2:c-minut")

	// What SAM's LambdaInvokePolicy writes, and why the README warns of it.
	wide := reader{t, testbed.Policy{{Effect: "Allow", Action: testbed.OneOrMore{"lambda:InvokeFunction"}, Resource: testbed.OneOrMore{on("").Resource + "*"}}}, on}
	wide.allow("", ":admin", ":api", ":c-monta")
}
