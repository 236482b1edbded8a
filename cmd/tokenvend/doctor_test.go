package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iamaccount"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// clinic is a stack whose function, aliases and policies stand on moto.
type clinic struct {
	*stack
	lambda *lambda.Client
	iam    *iam.Client
	arn    string // the function's
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	return newClinicIn(t, testbed.Account(t))
}

// newClinicIn returns a stack with a function in an empty account.
func newClinicIn(t *testing.T, account aws.Config) *clinic {
	t.Helper()
	s := newStackIn(t, account)
	at, err := url.Parse(*s.account.BaseEndpoint)
	s.must(err)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }}
	s.moto.Store(http.HandlerFunc(proxy.ServeHTTP))
	s.env = append(s.env, "AWS_ENDPOINT_URL_IAM="+at.String(), "AWS_ENDPOINT_URL_SECRETS_MANAGER="+at.String())
	c := &clinic{stack: s, lambda: lambda.NewFromConfig(s.account), iam: iam.NewFromConfig(s.account)}
	role := c.role("vend", `[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]`)
	out, err := c.lambda.CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String(
			stackFunction,
		), Role: &role, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: empty(t)},
	})
	s.must(err)
	c.arn = strings.TrimSuffix(*out.FunctionArn, ":"+iampolicy.Latest)
	c.alias("api", iampolicy.Latest)
	c.alias("admin", iampolicy.Latest)
	c.permit("api", iampolicy.APIGateway)
	return c
}

func empty(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	if _, err := z.Create("bootstrap"); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (s *stack) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (c *clinic) alias(name, on string) {
	c.Helper()
	_, err := c.lambda.CreateAlias(
		c.Context(),
		&lambda.CreateAliasInput{FunctionName: aws.String(stackFunction), Name: &name, FunctionVersion: &on},
	)
	c.must(err)
}

// permit lets a principal iampolicy.InvokeAction the function by an alias; ""
// for the bare function.
func (c *clinic) permit(alias, principal string) {
	c.Helper()
	input := &lambda.AddPermissionInput{
		FunctionName: aws.String(stackFunction),
		Action:       aws.String(iampolicy.InvokeAction),
		Principal:    &principal,
		StatementId:  aws.String(fmt.Sprintf("s%d", len(alias))),
	}
	if alias != "" {
		input.Qualifier = &alias
	}
	if principal == iampolicy.APIGateway {
		input.SourceArn = aws.String(
			"arn:aws:execute-api:" + stackRegion + ":" + strings.Split(c.arn, ":")[4] + ":abc123/*",
		)
	}
	_, err := c.lambda.AddPermission(c.Context(), input)
	c.must(err)
}

// role makes a role with an inline policy of those statements, and returns its
// ARN.
func (c *clinic) role(name, statements string) string {
	c.Helper()
	out, err := c.iam.CreateRole(
		c.Context(),
		&iam.CreateRoleInput{
			RoleName:                 &name,
			AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
		},
	)
	c.must(err)
	_, err = c.iam.PutRolePolicy(
		c.Context(),
		&iam.PutRolePolicyInput{
			RoleName:       &name,
			PolicyName:     aws.String("p"),
			PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":` + statements + `}`),
		},
	)
	c.must(err)
	return *out.Role.Arn
}

// invoker makes a role that may invoke the function with something after its
// ARN.
func (c *clinic) invoker(name, after string) string {
	c.Helper()
	return c.role(name, `[{"Effect":"Allow","Action":"lambda:Invoke*","Resource":"`+c.arn+after+`"}]`)
}

// diagnosis is what doctor prints as JSON.
type diagnosis struct {
	Checks           []checks.Check `json:"checks"`
	Failed, Warnings int
}

func (c *clinic) doctor(code clierror.Code, more ...string) diagnosis {
	c.Helper()
	return diagnose(c.T, c.direct("", append([]string{"doctor", "--json"}, more...)...), code)
}

func diagnose(t *testing.T, r ran, code clierror.Code) (d diagnosis) {
	t.Helper()
	if err := json.Unmarshal([]byte(r.out), &d); err != nil || r.code != code ||
		strings.Contains(r.out+r.err, canary) {
		t.Fatalf("exit code %d, want %d; %v\n%s\n%s", r.code, code, err, r.out, r.err)
	}
	return d
}

// has fails unless a check of that grade and subject says all of that.
func (d diagnosis) has(t *testing.T, v checks.Grade, subject string, says ...string) {
	t.Helper()
next:
	for _, c := range d.Checks {
		for _, s := range says {
			if !strings.Contains(c.Finding+"; "+c.Advice, s) {
				continue next
			}
		}
		if c.Grade == v && c.Subject == subject {
			return
		}
	}
	t.Errorf("doctor finds %+v, want %s %s with %q", d.Checks, v, subject, says)
}

func TestDoctorOfASoundStack(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	operators := c.invoker("operator", ":admin")
	c.alias("c-minut", iampolicy.Latest)
	c.invoker("billing", ":c-minut")
	c.direct("", "get", "minut").want(t, clierror.OK)
	d := c.doctor(clierror.OK, "--operators", operators)
	if d.Failed+d.Warnings != 0 {
		t.Errorf("doctor of a sound setup = %+v, want no warning", d)
	}
	d.has(t, checks.Fine, "function", c.arn)
	d.has(t, checks.Fine, "clock")
	d.has(t, checks.Fine, "alias api", iampolicy.Latest)
	d.has(t, checks.Fine, "alias admin", iampolicy.Latest)
	d.has(t, checks.Fine, "grants on api", iampolicy.APIGateway)
	d.has(t, checks.Fine, "IAM", "as --operators says, role operator may invoke admin")
	d.has(t, checks.Fine, "credentials", "1 of 1 are sound")
	d.has(t, checks.Fine, "token minut", "fresh")
	lines := strings.Split(
		strings.TrimSpace(c.direct("", "doctor", "--operators", operators).want(t, clierror.OK).out),
		"\n",
	)
	if len(lines) != len(d.Checks) || !strings.HasPrefix(lines[0], "ok ") {
		t.Errorf("doctor prints %d lines for %d checks, want one each:\n%s", len(lines), len(d.Checks),
			strings.Join(lines, "\n"))
	}
}

func TestDoctorWarnsOfGrantsOnEveryAlias(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	for name, after := range map[string]string{"starred": "*", "aliased": ":*", "guessing": ":a????"} {
		c.invoker(name, after)
	}
	c.role("everything", `[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]`)
	c.role(
		"others",
		`[{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":["`+c.arn+`2*","`+c.arn+`:c-*"]},{"Effect":"Deny","Action":"*","Resource":"*"},{"Effect":"Allow","Action":"lambda:GetFunction","Resource":"*"}]`,
	)
	managed, err := c.iam.CreatePolicy(
		t.Context(),
		&iam.CreatePolicyInput{PolicyName: aws.String("wide"), PolicyDocument: aws.String(
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"lambda:*","Resource":"arn:aws:lambda:*:*:function:tokenvend-*"}}`,
		)},
	)
	c.must(err)
	_, err = c.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")})
	c.must(err)
	_, err = c.iam.AttachUserPolicy(
		t.Context(),
		&iam.AttachUserPolicyInput{UserName: aws.String("ann"), PolicyArn: managed.Policy.Arn},
	)
	c.must(err)
	c.permit("", stackAccount)
	c.permit("admin", "events.amazonaws.com")
	_, err = c.lambda.AddPermission(t.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String(
			stackFunction,
		), Action: aws.String(iampolicy.InvokeAction), Principal: aws.String("sns.amazonaws.com"),
		StatementId: aws.String("other"), Qualifier: aws.String("api"),
	})
	c.must(err)
	d := c.doctor(clierror.OK)
	const all = ", which reaches the alias api and the alias admin and the bare function"
	d.has(t, checks.Warning, "IAM", "role starred may", c.arn+"*"+all)
	d.has(
		t,
		checks.Warning,
		"IAM",
		"role aliased may",
		c.arn+":*, which reaches the alias api and the alias admin;",
	)
	d.has(t, checks.Warning, "IAM", "role guessing may", ":a????, which reaches the alias admin;")
	d.has(t, checks.Warning, "IAM", "role everything may "+iampolicy.InvokeAction+" on *"+all)
	d.has(t, checks.Warning, "IAM", "user ann may", "function:tokenvend-*"+all)
	d.has(t, checks.Warning, "grants on the bare function", stackAccount)
	d.has(t, checks.Warning, "grants on admin", "events.amazonaws.com", "--operators")
	d.has(t, checks.Warning, "grants on api", "sns.amazonaws.com", "claim to be anyone")
	for _, one := range d.Checks {
		if strings.Contains(one.Finding, "role others") {
			t.Errorf("doctor finds %+v, want no such finding", one)
		}
	}
}

func TestDoctorOfABrokenStack(t *testing.T) {
	c := newClinic(t)
	_, err := c.lambda.DeleteAlias(
		t.Context(),
		&lambda.DeleteAliasInput{FunctionName: aws.String(stackFunction), Name: aws.String("admin")},
	)
	c.must(err)
	version, err := c.lambda.PublishVersion(
		t.Context(),
		&lambda.PublishVersionInput{FunctionName: aws.String(stackFunction)},
	)
	c.must(err)
	c.alias("c-minut", *version.Version)
	c.put("dead", "minut")
	c.put("odd", "minut", `client_secrets="`+canary+`"`)
	c.must(
		c.providers.SetFault(
			"minut",
			simulator.Fault{Status: http.StatusUnauthorized, Body: `{"error":"invalid_client"}`},
		),
	)
	c.direct("", "get", "dead")
	d := c.doctor(clierror.Failed)
	d.has(t, checks.Failed, "alias admin", "does not exist")
	d.has(t, checks.Failed, "alias c-minut", "stands on version "+*version.Version, "update-alias")
	d.has(t, checks.Failed, "credential odd", "client_secrets")
	d.has(t, checks.Failed, "token dead", "failing", "check client id")
	_, err = c.secrets.DeleteSecret(
		t.Context(),
		&awssecrets.DeleteSecretInput{SecretId: aws.String(secretstore.DefaultPrefix + "odd")},
	)
	c.must(err)
	c.tv("", "doctor", "--function", "nosuch").
		wantOut(t, clierror.Failed, "failed  function  lambda:GetFunctionConfiguration on nosuch")
}

// wantOut is want for a command that tells its data, whatever its end.
func (r ran) wantOut(t *testing.T, code clierror.Code, says string) {
	t.Helper()
	if out := strings.Join(strings.Fields(r.out), " "); r.code != code ||
		!strings.Contains(out, strings.Join(strings.Fields(says), " ")) {
		t.Errorf("tokenvend exits with %d, want %d, and prints %s%s, want %q", r.code, code, r.out, r.err, says)
	}
}

func TestDoctorSaysWhatMayNotBeRead(t *testing.T) {
	c := newClinic(t)
	c.put("minut", "minut")
	moto := c.moto.Load().(http.HandlerFunc)
	c.moto.Store(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/policy") {
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(`{"Message":"User: me is not authorized to perform: lambda:GetPolicy"}`))
			return
		}
		moto(w, r)
	}))
	d := c.doctor(clierror.OK)
	d.has(t, checks.Warning, "grants on admin", "not looked at: IAM does not allow lambda:GetPolicy")
	if d := diagnose(t, c.tv("", "doctor", "--json", "--url", c.url), clierror.OK); true {
		d.has(t, checks.Warning, "function", "not looked at", "--function")
		d.has(t, checks.Fine, "server", "lists 1 credentials")
	}
	d = diagnose(
		t,
		tvEnv(t, c.dir, "", []string{"AWS_REGION=us-east-1"}, "doctor", "--json", "--function", stackFunction),
		clierror.Failed,
	)
	d.has(t, checks.Failed, "AWS credentials", "there are no AWS credentials")
}

func TestDoctorOfAClockThatIsOff(t *testing.T) {
	c := newClinic(t)
	at, err := url.Parse(*c.account.BaseEndpoint)
	c.must(err)
	for off, want := range map[time.Duration]struct {
		grade checks.Grade
		code  clierror.Code
	}{
		20 * time.Second: {checks.Fine, clierror.OK},
		2 * time.Minute:  {checks.Warning, clierror.OK},
		-2 * time.Minute: {checks.Warning, clierror.OK},
		6 * time.Minute:  {checks.Failed, clierror.Failed},
	} {
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) },
			ModifyResponse: func(r *http.Response) error {
				r.Header.Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
				return nil
			},
		}
		c.moto.Store(http.HandlerFunc(proxy.ServeHTTP))
		c.doctor(want.code).has(t, want.grade, "clock")
	}
}

func TestDoctorSaysWhatItLeftOut(t *testing.T) {
	c := newClinic(t)
	for i := range iamaccount.MaxPrincipals {
		c.role(fmt.Sprintf("role%d", i), `[{"Effect":"Allow","Action":"logs:*","Resource":"*"}]`)
	}
	c.doctor(clierror.OK).has(t, checks.Warning, "IAM", "only the first 200 roles, users and groups were looked at")
}

func TestDoctorOfThisMachine(t *testing.T) {
	dir := t.TempDir()
	d := diagnose(t, tv(t, dir, "", "doctor", "--json"), clierror.Failed)
	d.has(t, checks.Failed, "data folder", "does not exist")

	s := demo(t, dir)
	if d = diagnose(t, tv(t, dir, "", "doctor", "--json"), clierror.OK); d.Warnings != 0 {
		t.Errorf("doctor of a sound setup = %+v, want no warning", d)
	}
	d.has(t, checks.Fine, "credentials", "5 of 5 are sound")
	d.has(t, checks.Fine, "server", "answers, and lists")
	data := filepath.Join(dir, defaultData)
	for path, mode := range map[string]os.FileMode{"seal.key": 0o644, "credentials/monta.json": 0o640,
		"credentials/minut.json": 0o600} {
		if err := os.Chmod(filepath.Join(data, path), mode); err != nil {
			t.Fatal(err)
		}
	}
	err := os.WriteFile(filepath.Join(data, "credentials", "odd.json"),
		[]byte(`{"provider":"minut","client_secret":"`+canary+`"}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	d = diagnose(t, tv(t, dir, "", "doctor", "--json"), clierror.Failed)
	d.has(t, checks.Failed, "seal.key", "0644", "chmod 600")
	d.has(t, checks.Failed, "credential monta", "0640")
	d.has(t, checks.Failed, "credential odd", "client_id")
	s.end(t, os.Interrupt)
	d = diagnose(t, tv(t, dir, "", "doctor", "--json"), clierror.Failed)
	d.has(t, checks.Warning, "server", "no server runs")
	tv(t, dir, "", "doctor", "x").want(t, clierror.BadUsage)
}
