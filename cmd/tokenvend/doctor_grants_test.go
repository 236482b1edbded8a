package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// doctor once said ok of identity policies that reach the alias api or the bare
// function, and of those that reach admin by its name.
func TestAttack11_EveryGrantThatReachesFar(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	account := strings.Split(c.arn, ":")[4]
	reaches := map[string]string{ // by what follows the function's ARN
		":api": "the alias api;", ":ap*": "the alias api;", ":a?i": "the alias api;", ":*i": "the alias api;", ":${aws:PrincipalTag/alias}": "the alias api and the alias admin;",
		"": "the bare function;", "?": "", ":admin": "the alias admin;", ":ad*": "the alias admin;", ":*": "the alias api and the alias admin;", ":c-*": "", ":c-minut": "", ":apis": "",
	}
	names := map[string]string{}
	for after := range reaches {
		names[after] = "r" + strings.Map(func(r rune) rune {
			if strings.ContainsRune(":*?${}/", r) {
				return '-'
			}
			return r
		}, after) + string(rune('a'+len(names)))
		c.invoker(names[after], after)
	}
	c.role("asynchronous", `[{"Effect":"Allow","Action":"lambda:InvokeAsync","Resource":"`+c.arn+`:api"}]`)
	c.role("but", `[{"Effect":"Allow","Action":"lambda:Invoke*","NotResource":["`+c.arn+`","`+c.arn+`:admin"]}]`)
	c.role("not", `[{"Effect":"Allow","NotAction":["iam:*"],"NotResource":"arn:aws:s3:::*"}]`)
	_, err := c.iam.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("devs")})
	c.must(err)
	_, err = c.iam.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: aws.String("devs"), PolicyName: aws.String("p"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"` + c.arn + `"}}`)})
	c.must(err)

	// An operator is one on admin alone.
	d := c.doctor(exitOK, "--operators", "arn:aws:iam::"+account+":role/"+names[":admin"]+", arn:aws:sts::"+account+":assumed-role/"+names[":*"]+"/ann")
	for after, says := range reaches {
		if says != "" && after != ":admin" {
			d.has(t, warning, "IAM", "role "+names[after], "which reaches "+says)
		}
		for _, one := range d.Checks {
			if one.Grade == warning && strings.Contains(one.Finding, "role "+names[after]+" ") && (says == "" || after == ":admin") {
				t.Errorf("%q: %+v", after, one)
			}
		}
	}
	d.has(t, fine, "IAM", "as --operators says, role "+names[":admin"]+" may invoke admin")
	d.has(t, warning, "IAM", "role asynchronous", "the alias api;")
	d.has(t, warning, "IAM", "role but", "on all but", "which reaches the alias api;")
	d.has(t, warning, "IAM", "role not", "on all but arn:aws:s3:::*", "the bare function")
	d.has(t, warning, "IAM", "group devs", "the bare function;")
	c.direct("", "doctor", "--operators", "arn:aws:iam::1:role/*").want(t, exitUsage, "--operators: expected ARNs")
	c.direct("", "doctor", "--operators", "ops").want(t, exitUsage, "--operators: expected ARNs")
}

// allow puts a statement into the resource policy of an alias.
func (c *clinic) allow(alias, id, principal, source string) {
	c.Helper()
	input := &lambda.AddPermissionInput{FunctionName: aws.String(stackFunction), Qualifier: &alias, Action: aws.String(invokeAction), Principal: &principal, StatementId: &id}
	if source != "" {
		input.SourceArn = &source
	}
	_, err := c.lambda.AddPermission(c.Context(), input)
	c.must(err)
}

func TestAttack11_GrantsInTheFunctionsOwnPolicy(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	account := strings.Split(c.arn, ":")[4]
	const harmless = `[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]`
	operator, stranger := c.role("operator", harmless), c.role("stranger", harmless)
	c.allow("admin", "one", operator, "")
	d := c.doctor(exitOK, "--operators", operator)
	if d.Warnings != 0 {
		t.Errorf("a sound stack: %+v", d)
	}
	d.has(t, fine, "grants on api", "for the API abc123")
	d.has(t, fine, "grants on admin", operator, "as --operators says")
	c.doctor(exitOK).has(t, warning, "grants on admin", operator, "--operators")

	// The stack's API is told from another by --url.
	const other = "https://other99.execute-api.us-east-1.amazonaws.com"
	c.doctor(exitOK, "--url", other).has(t, warning, "grants on api", apiGateway, "the alias api", "aws:SourceArn")
	c.doctor(exitOK, "--url", strings.Replace(other, "other99", "abc123", 1)).has(t, fine, "grants on api", "for the API abc123")
	c.direct("", "doctor", "--url", "https://tokens.example.com").want(t, exitUsage, "expected the stack's output ApiUrl")
	own := "arn:aws:execute-api:" + stackRegion + ":" + account + ":"
	c.allow("api", "second", apiGateway, own+"evil99/*")
	c.doctor(exitOK).has(t, warning, "grants on api", "abc123, evil99", "--url")

	for id, source := range map[string]string{
		"none": "", "any": own + "*", "some": own + "abc*/*", "foreign": "arn:aws:execute-api:" + stackRegion + ":999999999999:abc123/*",
		"region": "arn:aws:execute-api:eu-west-1:" + account + ":abc123/*", "service": "arn:aws:s3:::abc123/*",
	} {
		c.allow("api", id, apiGateway, source)
	}
	c.allow("api", "role", operator, "")
	c.allow("admin", "two", stranger, "")
	d = c.doctor(exitOK, "--operators", operator)
	for _, id := range []string{"none", "any", "some", "foreign", "region", "service", "role"} {
		d.has(t, warning, "grants on api", "by the statement "+id+";", "claim to be anyone")
	}
	d.has(t, warning, "grants on admin", stranger, "the statement two")
}

func TestWhatAStatementReaches(t *testing.T) {
	const arn = "arn:aws:lambda:us-east-1:123456789012:function:F"
	for policy, want := range map[string]string{
		`{"Resource":"*"}`:                          "api admin -",
		`{"Resource":["` + arn + `:a*"]}`:           "api admin",
		`{"Resource":"` + arn + `:${*}"}`:           "api admin",
		`{"Resource":"arn:aws:lambda:*:*:*:F:api"}`: "api",
		`{"Resource":"` + arn + `?api"}`:            "api",
		`{"Resource":"` + arn + `:API"}`:            "",
		`{"NotResource":"` + arn + `:*"}`:           "-",
		`{"NotResource":"` + arn + `:${x}"}`:        "api admin -",
		`{"NotResource":"*"}`:                       "",
	} {
		var s statement
		if err := json.Unmarshal([]byte(policy), &s); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, names := range s.reaches(arn) {
			got = append(got, names...)
		}
		if i := slices.Index(got, ""); i >= 0 {
			got[i] = "-"
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s reaches %q, want %q", policy, text, want)
		}
	}
	for policy, want := range map[string]bool{
		`{"Effect":"Allow","Action":"LAMBDA:invoke*"}`: true, `{"Effect":"Allow","Action":["lambda:Get*","lambda:InvokeAsync"]}`: true,
		`{"Effect":"Allow","NotAction":"lambda:Invoke*"}`: false, `{"Effect":"Allow","NotAction":"lambda:InvokeFunction"}`: true,
		`{"Effect":"Deny","Action":"*"}`: false, `{"Effect":"Allow","Action":"lambda:GetFunction"}`: false,
	} {
		var s statement
		if err := json.Unmarshal([]byte(policy), &s); err != nil || s.invokes() != want {
			t.Errorf("%s: invokes = %t, %v, want %t", policy, s.invokes(), err, want)
		}
	}
	everyone := statement{NotPrincipal: "x"}
	if !everyone.anybody() {
		t.Error("NotPrincipal is not taken for anybody")
	}
}
