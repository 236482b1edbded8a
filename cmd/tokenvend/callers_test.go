package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
	"github.com/tokenvend/tokenvend/internal/testbed"
)

// elsewhere is a role of another account.
const elsewhere = "arn:aws:iam::210987654321:role/team/billing"

// permission is what grant prints.
type permission struct {
	Credential, Alias, Principal, Statement string

	NewAlias bool `json:"new_alias"`
	New      bool
	Policy   json.RawMessage
}

// newGrantingClinic returns a stack at the stand-in in Go: moto's Lambda has
// other error codes of aliases, and another form of policies, than AWS.
func newGrantingClinic(t *testing.T) *clinic {
	t.Helper()
	return newClinicIn(t, testbed.StandInAccount(t))
}

func (c *clinic) grant(name, to string) (p permission) {
	c.Helper()
	out := c.direct("", "grant", name, "--to", to, "--json").want(c.T, clierror.OK).out
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		c.Fatalf("grant prints %s, want JSON: %v", out, err)
	}
	return p
}

// mayInvoke reports whether a principal of another account may invoke an alias:
// both the policy of the alias and its own policy have to allow it (IAM User
// Guide, "Cross-account policy evaluation logic").
func (c *clinic) mayInvoke(principal, alias string, own json.RawMessage) bool {
	c.Helper()
	var identity struct{ Statement testbed.Policy }
	c.must(json.Unmarshal(own, &identity))
	asked := testbed.AccessRequest{Action: iampolicy.InvokeAction, Resource: c.arn + ":" + alias}
	out, err := c.lambda.GetPolicy(c.Context(),
		&lambda.GetPolicyInput{FunctionName: aws.String(stackFunction), Qualifier: &alias})
	if err != nil || !identity.Statement.Evaluate(asked) {
		return false
	}
	var resource struct {
		Statement []struct {
			Effect, Action, Resource string
			Principal                map[string]string
			Condition                map[string]any
		}
	}
	c.must(json.Unmarshal([]byte(*out.Policy), &resource))
	for _, s := range resource.Statement {
		if s.Effect == "Allow" && s.Action == asked.Action && s.Resource == asked.Resource &&
			s.Principal["AWS"] == principal && len(s.Condition) == 0 {
			return true
		}
	}
	return false
}

func TestGrantToCallerInAnotherAccount(t *testing.T) {
	c := newGrantingClinic(t)
	c.put("minut", "minut")
	c.put("monta", "monta")
	p := c.grant("minut", elsewhere)
	if p.Alias != c.arn+":c-minut" || p.Principal != elsewhere || !p.NewAlias || !p.New {
		t.Errorf("grant(minut) = %+v, want a new alias c-minut and a new permission", p)
	}
	for alias, want := range map[string]bool{"c-minut": true, "c-monta": false, "admin": false, "api": false} {
		if got := c.mayInvoke(elsewhere, alias, p.Policy); got != want {
			t.Errorf("mayInvoke(%s) = %t, want %t", alias, got, want)
		}
	}
	if other := "arn:aws:iam::210987654321:role/other"; c.mayInvoke(other, "c-minut", p.Policy) {
		t.Errorf("mayInvoke(%s) = true, want false", other)
	}
	// From another account, a function is named by its ARN.
	c.tv("", "get", "minut", "--function", p.Alias).want(t, clierror.OK)
	c.tv("", "get", "monta", "--function", p.Alias).want(t, clierror.NotFound)

	if again := c.grant("minut", elsewhere); again.NewAlias || again.New || again.Statement != p.Statement {
		t.Errorf("grant(minut) again = %+v, want what is there", again)
	}
	c.grant("minut", "arn:aws:iam::"+strings.Split(c.arn, ":")[4]+":root")
	if one := c.grant("monta", elsewhere); !one.New || one.Alias == p.Alias {
		t.Errorf("grant(monta) = %+v, want an alias of its own", one)
	}
	c.direct("", "grants").wantOut(t, clierror.OK, "minut c-minut "+elsewhere+" "+p.Statement)
	c.direct("", "grant", "minut", "--to", elsewhere).wantOut(t, clierror.OK, `"Resource": "`+p.Alias+`"`)
	c.direct("", "grant", "minut", "--to", elsewhere).
		want(t, clierror.OK, "could already invoke", "210987654321, has to allow it too",
			"aws --region "+strings.Split(c.arn, ":")[3]+" lambda remove-permission")
	if d := c.doctor(clierror.OK); d.Warnings != 0 {
		t.Errorf("doctor after grant = %+v, want no warning", d)
	}
}

func TestGrantRefuses(t *testing.T) {
	c := newGrantingClinic(t)
	c.put("minut", "minut")
	for _, to := range []string{
		"", "*", "billing", "210987654321", "arn:aws:iam::210987654321:role/*", "arn:aws:s3:::x",
		"arn:aws:sts::210987654321:assumed-role/billing/session",
	} {
		c.direct("", "grant", "minut", "--to", to).want(t, clierror.BadUsage, "--to: expected the ARN")
	}
	c.direct("", "grant", "nosuch", "--to", elsewhere).want(t, clierror.NotFound)
	c.tv("", "grant", "minut", "--to", elsewhere, "--url", c.url).want(t, clierror.BadUsage, "--function is needed")
	c.tv("", "grants").want(t, clierror.BadUsage, "--function is needed")
	version, err := c.lambda.PublishVersion(t.Context(),
		&lambda.PublishVersionInput{FunctionName: aws.String(stackFunction)})
	c.must(err)
	c.alias("c-minut", *version.Version)
	c.direct("", "grant", "minut", "--to", elsewhere).
		want(t, clierror.Failed, "stands on version "+*version.Version,
			"aws --region "+strings.Split(c.arn, ":")[3]+" lambda update-alias")
	c.direct("", "grants").wantOut(t, clierror.OK, "minut c-minut - -")
}

func TestDoctorFindsGrantsThatHaveDrifted(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	c.alias("c-minut", iampolicy.Latest)
	c.alias("c-removed", iampolicy.Latest)
	c.invoker("billing", ":c-minut")
	c.invoker("left-over", ":c-lost")
	c.allow("c-minut", "gone", "arn:aws:iam::210987654321:role/billing", "")
	c.allow("c-minut", "deleted", "AROAEXAMPLEID1234567", "")
	d := c.doctor(clierror.OK)
	d.has(t, checks.Warning, "grants on c-minut", "AROAEXAMPLEID1234567 was deleted", "--statement-id deleted")
	d.has(t, checks.Warning, "alias c-removed", "there is no credential removed", "delete-alias")
	d.has(t, checks.Warning, "IAM", "role left-over may invoke the alias c-lost, which does not exist", "grant lost")
	d.has(t, checks.Fine, "grants on c-minut", "role/billing")
	if d.Warnings != 3 {
		t.Errorf("doctor = %+v, want 3 warnings", d)
	}
}
