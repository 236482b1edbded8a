package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

// doctor once said ok of identity policies that reach the alias api or the bare
// function, and of those that reach admin by its name.
func TestAttack11_EveryGrantThatReachesFar(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.alias("c-minut", iampolicy.Latest)
	account := strings.Split(c.arn, ":")[4]
	reaches := map[string]string{ // by what follows the function's ARN
		":api": "the alias api;", ":ap*": "the alias api;", ":a?i": "the alias api;", ":*i": "the alias api;",
		":${aws:PrincipalTag/alias}": "the alias api and the alias admin;",
		"":                           "the bare function;", "?": "",
		":admin": "the alias admin;", ":ad*": "the alias admin;",
		":*": "the alias api and the alias admin;", ":c-*": "", ":c-minut": "", ":apis": "",
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
	_, err = c.iam.PutGroupPolicy(
		t.Context(),
		&iam.PutGroupPolicyInput{
			GroupName:  aws.String("devs"),
			PolicyName: aws.String("p"),
			PolicyDocument: aws.String(
				`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"` + c.arn + `"}}`),
		},
	)
	c.must(err)

	// An operator is one on admin alone.
	d := c.doctor(
		clierror.OK,
		"--operators",
		"arn:aws:iam::"+account+":role/"+names[":admin"]+", arn:aws:sts::"+account+":assumed-role/"+names[":*"]+"/ann",
	)
	for after, says := range reaches {
		if says != "" && after != ":admin" {
			d.has(t, checks.Warning, "IAM", "role "+names[after], "which reaches "+says)
		}
		for _, one := range d.Checks {
			if one.Grade == checks.Warning && strings.Contains(one.Finding, "role "+names[after]+" ") &&
				(says == "" || after == ":admin") {
				t.Errorf("doctor warns of a grant on %q: %+v, want no warning", after, one)
			}
		}
	}
	d.has(t, checks.Fine, "IAM", "as --operators says, role "+names[":admin"]+" may invoke admin")
	d.has(t, checks.Warning, "IAM", "role asynchronous", "the alias api;")
	d.has(t, checks.Warning, "IAM", "role but", "on all but", "which reaches the alias api;")
	d.has(t, checks.Warning, "IAM", "role not", "on all but arn:aws:s3:::*", "the bare function")
	d.has(t, checks.Warning, "IAM", "group devs", "the bare function;")
	c.direct("", "doctor", "--operators", "arn:aws:iam::1:role/*").
		want(t, clierror.BadUsage, "--operators: expected ARNs")
	c.direct("", "doctor", "--operators", "ops").want(t, clierror.BadUsage, "--operators: expected ARNs")
}

// allow puts a statement into the resource policy of an alias.
func (c *clinic) allow(alias, id, principal, source string) {
	c.Helper()
	input := &lambda.AddPermissionInput{
		FunctionName: aws.String(stackFunction),
		Qualifier:    &alias,
		Action:       aws.String(iampolicy.InvokeAction),
		Principal:    &principal,
		StatementId:  &id,
	}
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
	d := c.doctor(clierror.OK, "--operators", operator)
	if d.Warnings != 0 {
		t.Errorf("doctor of a sound stack = %+v, want no warning", d)
	}
	d.has(t, checks.Fine, "grants on api", "for the API abc123")
	d.has(t, checks.Fine, "grants on admin", operator, "as --operators says")
	c.doctor(clierror.OK).has(t, checks.Warning, "grants on admin", operator, "--operators")

	// The stack's API is told from another by --url.
	const other = "https://other99.execute-api.us-east-1.amazonaws.com"
	c.doctor(clierror.OK, "--url", other).
		has(t, checks.Warning, "grants on api", iampolicy.APIGateway, "the alias api", "aws:SourceArn")
	c.doctor(clierror.OK, "--url", strings.Replace(other, "other99", "abc123", 1)).
		has(t, checks.Fine, "grants on api", "for the API abc123")
	c.direct("", "doctor", "--url", "https://tokens.example.com").
		want(t, clierror.BadUsage, "expected the stack's output ApiUrl")
	own := "arn:aws:execute-api:" + stackRegion + ":" + account + ":"
	c.allow("api", "second", iampolicy.APIGateway, own+"evil99/*")
	c.doctor(clierror.OK).has(t, checks.Warning, "grants on api", "abc123, evil99", "--url")

	for id, source := range map[string]string{
		"none": "", "any": own + "*", "some": own + "abc*/*",
		"foreign": "arn:aws:execute-api:" + stackRegion + ":999999999999:abc123/*",
		"region":  "arn:aws:execute-api:eu-west-1:" + account + ":abc123/*", "service": "arn:aws:s3:::abc123/*",
	} {
		c.allow("api", id, iampolicy.APIGateway, source)
	}
	c.allow("api", "role", operator, "")
	c.allow("admin", "two", stranger, "")
	d = c.doctor(clierror.OK, "--operators", operator)
	for _, id := range []string{"none", "any", "some", "foreign", "region", "service", "role"} {
		d.has(t, checks.Warning, "grants on api", "by the statement "+id+";", "claim to be anyone")
	}
	d.has(t, checks.Warning, "grants on admin", stranger, "the statement two")
}
