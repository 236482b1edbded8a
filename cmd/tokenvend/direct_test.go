package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

func TestReadingByFunction(t *testing.T) {
	s := newStack(t)
	s.put("minut", "minut")
	s.put("monta", "monta", `allow={"aliases":["billing"]}`)
	token := s.direct("", "get", "minut").want(t, clierror.OK)
	if strings.Count(token.out, "\n") != 1 || len(token.out) < 10 || token.err != "" {
		t.Errorf("get = %q and %q on stderr, want the token alone", token.out, token.err)
	}
	var whole api.Token
	if out := s.direct("", "get", "--json", "minut").out; json.Unmarshal([]byte(out), &whole) != nil ||
		whole.AccessToken+"\n" != token.out ||
		whole.ExpiresIn == 0 {
		t.Errorf("get --json = %s, want the response with the same token", out)
	}
	var page api.Page
	s.direct("", "get", "monta").want(t, clierror.OK)
	if out := s.direct("", "ls", "--json").out; json.Unmarshal([]byte(out), &page) != nil ||
		len(page.Credentials) != 2 {
		t.Errorf("ls --json = %s, want two credentials", out)
	}
	var report api.StatusReport
	if out := s.direct("", "status", "--json", "minut").out; json.Unmarshal([]byte(out), &report) != nil ||
		report.State != api.Fresh ||
		report.Fingerprint != whole.Fingerprint {
		t.Errorf("status --json = %s, want a fresh token with that fingerprint", out)
	}
	if r := s.tv("", "exec", "--function", stackFunction, "minut", "--", "sh", "-c",
		`printf %s "$MINUT_TOKEN"; exit 7`); r.code != 7 ||
		r.out+"\n" != token.out {
		t.Errorf("exec exits with %d and prints %q, want 7 and the token", r.code, r.out)
	}
	s.direct("", "renew", "minut").want(t, clierror.Failed, "younger than 30 seconds")
	if out := s.direct("", "revoke", "minut").want(t, clierror.OK).out; !strings.HasPrefix(out, "minut: ") {
		t.Errorf("revoke = %s, want what became of minut", out)
	}
	if out := s.direct("", "renew", "minut").want(t, clierror.OK).out; strings.Contains(out, whole.Fingerprint) ||
		!strings.Contains(out, "\nnew ") {
		t.Errorf("renew = %s, want another fingerprint", out)
	}
}

func TestRefusalsByFunction(t *testing.T) {
	s := newStack(t)
	s.put("minut", "minut")
	s.direct("", "get", "nosuch").
		want(t, clierror.NotFound, "tokenvend ls --function "+stackFunction+" names", "request id lambda-1")
	s.direct("", "status", "nosuch").want(t, clierror.NotFound)
	s.direct("", "get", "minut", "--scope", "a b").want(t, clierror.Refused, "scope", `"allow"`)
	s.direct("", "get", "minut", "--account", "someone").want(t, clierror.Refused, "account")
	s.direct("", "get", "minut", "--audience", "else").want(t, clierror.Refused, "audience")
	s.direct("", "get", "minut", "--min-ttl", "5h").want(t, clierror.Failed, "--min-ttl")
	s.tv("", "ls", "--function", stackFunction+":billing").want(t, clierror.Refused, "alias admin")
	s.put("monta", "monta")
	if err := s.providers.SetFault("monta", simulator.Fault{Status: http.StatusServiceUnavailable}); err != nil {
		t.Fatal(err)
	}
	s.direct("", "get", "monta").want(t, clierror.Failed, "can't be asked now", "try again, in")
}

func TestWhereRequestsGo(t *testing.T) {
	s := newStack(t)
	s.put("minut", "minut")
	token := s.direct("", "get", "minut").want(t, clierror.OK).out
	whole := "arn:aws:lambda:" + stackRegion + ":" + stackAccount + ":function:" + stackFunction
	for _, name := range []string{stackFunction + ":admin", stackFunction + ":c-minut", whole, whole + ":c-minut",
		stackAccount + ":function:" + stackFunction} {
		if r := s.tv("", "get", "minut", "--function", name).want(t, clierror.OK); r.out != token {
			t.Errorf("get --function %s = %q, want the same token", name, r.out)
		}
	}
	if r := s.tv("", "get", "minut", "--url", s.url).want(t, clierror.OK); r.out != token {
		t.Errorf("get --url = %q, want the same token", r.out)
	}
	s.tv("", "get", "minut", "--function", "no such").want(t, clierror.BadUsage, "expected a function's name or ARN")
	s.tv("", "get", "minut", "--function", stackFunction, "--url", s.url).
		want(t, clierror.BadUsage, "--url and --function: expected one")
	for _, flag := range []string{"--url", "--function", "--data"} { // of a variable that is not set
		s.tv("", "get", "minut", flag, "").want(t, clierror.BadUsage, flag+": expected a value")
	}

	byName, byURL := connection.EnvFunction+"="+stackFunction, connection.EnvURL+"="+s.url
	s.env = append(s.env, byName)
	s.tv("", "get", "minut").want(t, clierror.OK)
	s.tv("", "get", "minut", "--data", "here").want(t, clierror.Failed, "no server runs on the data folder here")
	s.env = append(s.env, byURL)
	s.tv("", "get", "minut").want(t, clierror.BadUsage, "TOKENVEND_URL and TOKENVEND_FUNCTION: expected one")
	s.tv("", "get", "minut", "--url", s.url).want(t, clierror.OK)
	s.tv("", "get", "minut", "--data", "here").want(t, clierror.Failed, "no server runs on the data folder here")
}

func TestAFunctionWithoutAnAnswer(t *testing.T) {
	s := newStack(t)
	for name, c := range map[string]struct {
		code clierror.Code
		says string
	}{
		"nosuch": {clierror.Failed,
			"lambda:InvokeFunction on nosuch:admin failed (ResourceNotFoundException): there is no such function or alias in that account and region (request id lambda-1)"},
		stackFunction + ":other": {clierror.Failed, "there is no such function or alias"},
		"denied": {clierror.Refused,
			"IAM does not allow lambda:InvokeFunction on denied:admin: User: arn:aws:iam::123456789012:user/me is not authorized"},
		"expired": {clierror.Refused, "AWS does not take the credentials (ExpiredTokenException)"},
		"timeout": {clierror.Failed,
			"the function timeout ended without an answer (it ran out of time); its log tells why (request id lambda-1)"},
		"slow":      {clierror.Failed, "(it ran out of time)"},
		"exited":    {clierror.Failed, "(Runtime.ExitError); its log"},
		"panicking": {clierror.Failed, "ended without an answer; its log"},
		"garbled":   {clierror.Failed, "ended without an answer; its log"},
		"odd": {clierror.Failed,
			"lambda:InvokeFunction on odd:admin failed (InvalidRuntimeException) (request id lambda-1)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // the SDK tries some of these again, after a pause
			if r := tvEnv(t, s.dir, "", s.env, "get", "minut", "--function", name).want(t, c.code,
				c.says); strings.Contains(
				r.err,
				canary,
			) {
				t.Errorf("get = %s, want the payload not shown", r.err)
			}
		})
	}
}

func TestAWSOutOfReach(t *testing.T) {
	s := newStack(t)
	s.env = append(
		s.env,
		"AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:1",
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=http://127.0.0.1:1",
		"AWS_MAX_ATTEMPTS=1",
	)
	s.direct("", "get", "minut").
		want(t, clierror.Failed,
			"lambda:InvokeFunction on "+stackFunction+":admin: no answer: dial tcp 127.0.0.1:1: connect: connection refused")
	s.direct("", "set", "minut").
		want(t, clierror.Failed, "secretsmanager:GetSecretValue on tokenvend/minut: no answer: dial tcp")
}

// The configuration is that of a profile, and nothing of it is looked at where
// no stack is asked.
func TestAWSConfiguration(t *testing.T) {
	s := newStack(t)
	s.put("minut", "minut")
	get := func(config string, more ...string) ran {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		kept := []string{"AWS_CONFIG_FILE=" + file, "AWS_SHARED_CREDENTIALS_FILE=" + file + "-none"}
		for _, e := range s.env {
			if strings.Contains(e, "ENDPOINT") || strings.Contains(e, "SSL") {
				kept = append(kept, e)
			}
		}
		return tvEnv(t, s.dir, "", append(kept, more...), "get", "minut", "--function", stackFunction)
	}
	const profile = "[profile ops]\nregion = " + stackRegion + "\n"
	get(profile+"aws_access_key_id = A\naws_secret_access_key = S\n", "AWS_PROFILE=ops").want(t, clierror.OK)
	get(
		profile+`credential_process = printf '{"Version":1,"AccessKeyId":"A","SecretAccessKey":"S"}'`,
		"AWS_PROFILE=ops",
	).want(t, clierror.OK)
	get(profile, "AWS_PROFILE=ops").want(t, clierror.Failed, "there are no AWS credentials: AWS_PROFILE")
	get("", "AWS_PROFILE=ops").want(t, clierror.Failed, "the AWS configuration: ", "ops")
	get("").want(t, clierror.BadUsage, "--region is needed")
	get("", "AWS_REGION=eu-north-1", "AWS_ACCESS_KEY_ID=A").want(t, clierror.Failed, "AWS credentials")
	if r := get(profile+`credential_process = printf '{"SecretAccessKey":"`+canary+`'`, "AWS_PROFILE=ops").want(t,
		clierror.Failed, "credential_process failed"); strings.Contains(
		r.err,
		canary,
	) {
		t.Errorf("get = %s, want the output of the process not shown", r.err)
	}
	tvEnv(t, s.dir, "", []string{"AWS_PROFILE=nosuch"}, "get", "minut").want(t, clierror.Failed, "no server runs")
}
