package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

func TestAddToAStack(t *testing.T) {
	s := newStack(t)
	s.rotate() // a failure of the first secret is over once the stack has seen the second
	id, secret := s.client("minut")
	add := func(stdin string) ran {
		return s.direct(stdin, "add", "minut", "--provider", "minut", "--client-id", id, "--keep-warm")
	}
	if r := add(canary+"\n").want(t, clierror.Refused, "was not added", "taken away again", "the provider refused",
		"check client id"); strings.Contains(
		r.err,
		canary,
	) {
		t.Errorf("add of a refused secret = %s, want the secret not shown", r.err)
	}
	if d := s.described("minut"); d != nil {
		t.Errorf("add of a refused secret leaves %v, want no secret", *d.Name)
	}
	r := add(secret+"\n").want(t, clierror.OK, "minut works: a token with the fingerprint",
		"tokenvend grant minut --function tokenvend-VendFunction-1 --region us-east-1 --to ARN\n",
		`:function:tokenvend-VendFunction-1:c-minut"`, `:API/*/GET/tokens/minut"`, `:API/*/POST/tokens/minut"`)
	account := strings.Split(*s.described("minut").ARN, ":")[4]
	if r.out != "" || strings.Contains(r.err, secret) ||
		!strings.Contains(r.err, `"arn:aws:lambda:us-east-1:`+account+`:function:`) {
		t.Errorf("add = %q and %q on stderr, want the account's ARN and no secret", r.out, r.err)
	}
	want := `{"client_id":"` + id + `","client_secret":"` + secret + `","keep_warm":true,"provider":"minut"}`
	if got := compact(t, s.secret("minut")); got != want {
		t.Errorf("add writes %s, want %s", got, want)
	}
	s.direct("", "get", "minut").want(t, clierror.OK)
	add(secret).want(t, clierror.Failed, "minut is there already: tokenvend set")
	if len(s.described("minut").VersionIdsToStages) != 1 {
		t.Error("a second add writes a version, want none")
	}
}

func compact(t *testing.T, text string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(fields)
	return string(got)
}

func TestAddToAStackByItsAPI(t *testing.T) {
	s := newStack(t)
	s.rotate() // rotate finds what is new
	id, secret := s.client("trackmania")
	whole := `{"provider":"trackmania","client_id":"` + id + `","client_secret":"` + secret + `"}`
	s.tv(whole, "add", "tm", "--json", "--url", s.url+"/").
		want(t, clierror.OK, "tm works", " "+s.url+"/tokens/tm\n", "--function FUNCTION",
			`aws:execute-api:us-east-1:`)
	s.tv("", "rm", "tm", "--yes", "--url", s.url).want(t, clierror.OK, "tm is removed", "restore-secret")
	if s.secret("tm") != "" {
		t.Error("rm leaves the secret, want none")
	}
	s.tv(whole, "add", "tm", "--json", "--url", "http://127.0.0.1:3000").
		want(t, clierror.BadUsage, "keeps its secrets in a folder")
	s.tv(whole, "add", "tm", "--json", "--prefix", "other/").want(t, clierror.BadUsage, "--prefix is for a stack")
	s.tv(whole, "add", "tm", "--json", "--prefix", "not a prefix", "--url", s.url).
		want(t, clierror.BadUsage, "--prefix, TOKENVEND_SECRET_PREFIX: expected")
	s.tv(`{"provider":"trackmania"}`, "add", "bad", "--json", "--url", s.url).
		want(t, clierror.Refused, "client_id: required")
	if s.described("bad") != nil {
		t.Error("add of a malformed secret writes it, want none")
	}
}

// What keeps the operator from a token says nothing against the secret.
func TestAddToAStackThatCannotTry(t *testing.T) {
	s := newStack(t)
	id, secret := s.client("monta")
	whole := `{"provider":"monta","client_id":"` + id + `","client_secret":"` + secret + `"}`
	if err := s.providers.SetFault("monta", simulator.Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	s.direct(whole, "add", "down", "--json").
		want(t, clierror.OK,
			"down is written (tokenvend/down in Secrets Manager, us-east-1), but could not be tried: ", "can't be asked now", "tokenvend grant down")
	s.tv(whole, "add", "denied", "--json", "--function", "denied").
		want(t, clierror.OK, "denied is written", "could not be tried: IAM does not allow")
	s.tv(whole, "add", "gone", "--json", "--function", "timeout").
		want(t, clierror.OK, "gone is written", "it ran out of time")
	s.tv(whole, "add", "refused", "--json", "--url", s.url, "--region", "eu-north-1").
		want(t, clierror.OK, "refused is written", "the signature or the IAM policy was refused")
	for _, name := range []string{"down", "denied", "gone"} {
		if s.secret(name) == "" {
			t.Errorf("add of %s, which could not be tried, keeps no secret, want it kept", name)
		}
	}
}

func TestAddWhereTheStackDoesNotLook(t *testing.T) {
	t.Parallel() // it waits for the stack to look
	s := newStack(t)
	id, secret := s.client("minut")
	s.env = append(s.env, secretstore.EnvPrefix+"=other/")
	s.direct(secret, "add", "minut", "--provider", "minut", "--client-id", id).
		want(t, clierror.OK, "waiting for another", "other/minut in Secrets Manager", "could not be tried",
			"another prefix or region")
	_, err := s.secrets.DescribeSecret(t.Context(),
		&awssecrets.DescribeSecretInput{SecretId: aws.String("other/minut")})
	if err != nil {
		t.Error(err)
	}
}

func TestSetOnAStack(t *testing.T) {
	s := newStack(t)
	s.direct("s", "set", "minut").
		want(t, clierror.NotFound, "there is no secret tokenvend/minut in Secrets Manager, us-east-1",
			"tokenvend add minut --function "+stackFunction+" makes one")
	s.direct("{}", "set", "minut", "--json").want(t, clierror.NotFound)
	s.put("minut", "minut", `scope="read"`)
	id, _ := s.client("minut")
	s.direct(canary+"\n", "set", "minut", "--no-trial").
		want(t, clierror.OK, "minut is written. The stack takes it within 7 minutes", "tokenvend renew minut")
	got := compact(t, s.secret("minut"))
	if got != `{"client_id":"`+id+`","client_secret":"`+canary+`","provider":"minut","scope":"read"}` {
		t.Errorf("set writes %s, want the named field changed and the others kept", got)
	}
	s.direct("", "set", "minut", "--client-id", "you", "--no-trial").want(t, clierror.OK)
	s.direct("", "set", "minut", "--token-url", "nonsense").want(t, clierror.Refused, "token_url")
	got = compact(t, s.secret("minut"))
	if got != `{"client_id":"you","client_secret":"`+canary+`","provider":"minut","scope":"read"}` {
		t.Errorf("set writes %s, want the named field changed and the others kept", got)
	}
	s.direct(`{"provider":"minut","client_id":"c","client_secret":"d"}`, "set", "minut", "--json", "--yes",
		"--no-trial").
		want(t, clierror.OK)
	if got := compact(t, s.secret("minut")); got != `{"client_id":"c","client_secret":"d","provider":"minut"}` {
		t.Errorf("set --json writes %s, want the whole secret replaced", got)
	}
	broken := "{broken"
	_, err := s.secrets.PutSecretValue(t.Context(),
		&awssecrets.PutSecretValueInput{SecretId: aws.String("tokenvend/minut"), SecretString: &broken})
	if err != nil {
		t.Fatal(err)
	}
	s.direct("s", "set", "minut", "--provider", "minut", "--client-id", "me").
		want(t, clierror.BadUsage, "--yes is needed")
	s.direct("s", "set", "minut", "--provider", "minut", "--client-id", "me", "--yes", "--no-trial").
		want(t, clierror.OK)
}

// A template makes such secrets, for the operator to fill.
func TestSetOfASecretWithoutAValue(t *testing.T) {
	s := newStack(t)
	_, err := s.secrets.CreateSecret(t.Context(), &awssecrets.CreateSecretInput{Name: aws.String("tokenvend/minut")})
	if err != nil {
		t.Fatal(err)
	}
	s.direct("s", "add", "minut", "--provider", "minut", "--client-id", "me").
		want(t, clierror.Failed, "minut is there already")
	s.direct("s", "set", "minut", "--provider", "minut", "--client-id", "me", "--no-trial").want(t, clierror.OK)
	if got := compact(t, s.secret("minut")); got != `{"client_id":"me","client_secret":"s","provider":"minut"}` {
		t.Errorf("set writes %s, want the named field changed and the others kept", got)
	}
}

func TestRmOnAStack(t *testing.T) {
	s := newStack(t)
	s.direct("", "rm", "minut", "--yes").want(t, clierror.NotFound, "there is no secret tokenvend/minut")
	s.put("minut", "minut")
	token := s.direct("", "get", "minut").want(t, clierror.OK).out
	restore := "\n  aws secretsmanager restore-secret --region us-east-1 --secret-id tokenvend/minut"
	r := s.direct("", "rm", "minut", "--yes").want(t, clierror.OK, "minut is removed. The stack stops", restore)
	if strings.Contains(r.err, "could not be revoked") {
		t.Errorf("rm = %s, want the token revoked", r.err)
	}
	if until := time.Now().AddDate(0, 0, secretstore.RecoveryDays).Format(time.DateOnly); !strings.Contains(
		r.err,
		"Until "+until,
	) &&
		!strings.Contains(r.err, "Until "+time.Now().AddDate(0, 0, secretstore.RecoveryDays-1).Format(time.DateOnly)) {
		t.Errorf("rm = %s, want that the secret can be restored until %s", r.err, until)
	}
	if d := s.described("minut"); d == nil || d.DeletedDate == nil {
		t.Fatal("after rm the secret is not scheduled for deletion, want it to be")
	}
	s.direct("", "rm", "minut", "--yes").want(t, clierror.Failed, "scheduled for deletion", restore)
	s.direct("s", "set", "minut").want(t, clierror.Failed, "scheduled for deletion", restore)
	s.direct("s", "add", "minut", "--provider", "minut", "--client-id", "me").
		want(t, clierror.Failed, "scheduled for deletion", "tokenvend set minut", restore)

	_, err := s.secrets.RestoreSecret(t.Context(),
		&awssecrets.RestoreSecretInput{SecretId: aws.String("tokenvend/minut")})
	if err != nil {
		t.Fatal(err)
	}
	if again := s.direct("", "get", "minut").want(t, clierror.OK).out; again == token {
		t.Error("get after rm and a restoration prints the same token, want another")
	}
	s.tv("", "rm", "minut", "--yes", "--function", "exited").
		want(t, clierror.OK, "Its token could not be revoked: the function exited ended", "minut is removed")
}

// Neither what was sent nor what came back is in an error.
func TestSecretsManagerIsNotQuoted(t *testing.T) {
	s := newStack(t)
	for _, c := range []struct {
		status   int
		kind     string
		body     string
		code     clierror.Code
		add, set string
	}{
		{200, "", canary, clierror.Failed, "an answer with status 200 that can't be read",
			"an answer with status 200 that can't be read"},
		{400, "ValidationException", `{"message":"Value '` + canary + `' at 'secretString' failed"}`, clierror.Failed,
			"(ValidationException)", "(ValidationException)"},
		{400, "AccessDeniedException", `{"Message":"not authorized to perform it"}`, clierror.Refused,
			"IAM does not allow secretsmanager:CreateSecret on tokenvend/x: not authorized", "IAM does not allow secretsmanager:GetSecretValue on tokenvend/x: not"},
		{400, "ResourceExistsException", `{"Message":"` + canary + `"}`, clierror.Failed, "x is there already",
			"x is there already"},
		{400, "InvalidRequestException",
			`{"Message":"You can't create this secret because a secret with this name is already scheduled for deletion."}`, clierror.Failed, "restore-secret", "restore-secret"},
		{400, "InvalidRequestException", `{"Message":"You can't delete it: ` + canary + `"}`, clierror.Failed,
			"(InvalidRequestException)", "(InvalidRequestException)"},
	} {
		secrets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.Header().Set("X-Amzn-Errortype", c.kind)
			status, body := c.status, c.body
			if strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeSecret") {
				w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
				status, body = http.StatusBadRequest, `{}`
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}))
		env := append(
			s.env[:len(s.env):len(s.env)],
			"AWS_ENDPOINT_URL_SECRETS_MANAGER="+secrets.URL,
			"AWS_MAX_ATTEMPTS=1",
		)
		args := []string{"x", "--function", stackFunction, "--provider", "minut", "--client-id", "me"}
		for cmd, says := range map[string]string{"add": c.add, "set": c.set} {
			if r := tvEnv(t, s.dir, canary, env, append([]string{cmd}, args...)...).want(t, c.code,
				says); strings.Contains(
				r.err,
				canary,
			) {
				t.Errorf("%s at a %s = %s, want neither request nor response quoted", cmd, c.kind, r.err)
			}
		}
		secrets.Close()
	}
}
