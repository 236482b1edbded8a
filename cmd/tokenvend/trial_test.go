package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// set writes no secret that the provider refuses, and callers notice nothing of
// the trial.
func TestSetTriesTheNewSecretFirst(t *testing.T) {
	s := demo(t, t.TempDir())
	before, err := os.ReadFile(filePath(s.dir, "minut"))
	must(t, err)
	token := tv(t, s.dir, "", "get", "minut").want(t, clierror.OK).out
	r := tv(t, s.dir, "wrong-"+canary+"\n", "set", "minut").want(t, clierror.Refused,
		"minut was not changed (--no-trial writes the secret all the same): minut: the provider refused")
	if strings.Contains(r.err, canary) || strings.Contains(r.err, "-trial-") {
		t.Errorf("set of a wrong secret prints %s, want neither the secret nor the name of the trial", r.err)
	}
	after, err := os.ReadFile(filePath(s.dir, "minut"))
	if err != nil || string(after) != string(before) {
		t.Errorf("set of a wrong secret leaves %s, %v, want the secret before: %s", after, err, before)
	}
	if again := tv(t, s.dir, "", "get", "minut").want(t, clierror.OK).out; again != token {
		t.Errorf("get after a refused set = %s, want the token before", again)
	}
	secret := text(secretOf(t, s.dir, "minut")["client_secret"])
	tv(
		t,
		s.dir,
		secret+"\n",
		"set",
		"minut",
		"--scope",
		"",
	).want(t, clierror.OK, "The new secret works", "minut is written")
	noTrialLeft(t, s.dir)

	// The provider is away: it could not be tried, and is written.
	s.fault(t, "minut", `{"down":true}`)
	tv(
		t,
		s.dir,
		secret+"\n",
		"set",
		"minut",
		"--audience",
		"",
	).want(t, clierror.OK, "The new secret could not be tried", "minut is written")
	s.fault(t, "minut", "")
	tv(t, s.dir, "wrong\n", "set", "minut", "--no-trial").want(t, clierror.OK, "minut is written")
	noTrialLeft(t, s.dir)
}

// noTrialLeft checks that only credentials of the demo are left.
func noTrialLeft(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, defaultData, "credentials", "*"))
	if err != nil || len(left) != 5 {
		t.Errorf("the folder of credentials holds %v, %v, want the five of the demo", left, err)
	}
	eventually(t, func() string { // within a second
		out := tv(t, dir, "", "ls").want(t, clierror.OK).out
		if strings.Contains(out, "trial") {
			return ""
		}
		return out
	})
}

// What changes nothing at the provider is not tried: a trial is a request.
func TestSetTriesOnlyWhatTheProviderGets(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(
		t,
		s.dir,
		"\n",
		"set",
		"minut",
		"--keep-warm",
		"--idle-after",
		"2h",
		"--max-variants",
		"7",
		"--lifetime",
		"1h",
		"--allow-account",
		"a",
		"--yes",
	).want(t, clierror.OK)
	if n := s.stats(t, "minut"); n.TokenRequests != 0 && text(secretOf(t, s.dir, "minut")["keep_warm"]) != "true" {
		t.Errorf("set --keep-warm asks the provider %d times, want 0", n.TokenRequests)
	}
	if r := tv(t, s.dir, "\n", "set", "trackmania", "--clear", "allow"); r.code == clierror.OK &&
		strings.Contains(r.err, "The new secret") {
		t.Errorf("set --clear allow = %s, want no trial", r.err)
	}
}

// A grant is of one use, so a trial could end it.
func TestSetTriesNoGrant(t *testing.T) {
	s := demo(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "refresh")
	must(t, os.WriteFile(file, []byte("def50200\n"), 0o600))
	secret := text(secretOf(t, s.dir, "trackmania")["client_secret"])
	tv(t, s.dir, secret+"\n", "set", "trackmania", "--grant", "refresh_token", "--refresh-token-file", file).
		want(t, clierror.OK, "The new secret was not tried: its tokens are obtained by a grant",
			"trackmania is written")
	if got := secretOf(t, s.dir, "trackmania")["refresh_token"]; got != "def50200" {
		t.Errorf("set --refresh-token-file writes %v, want the content of the file", got)
	}
}

func TestSetOnAStackTriesTheNewSecretFirst(t *testing.T) {
	s := newStack(t)
	s.put("minut", "minut")
	before := s.secret("minut")
	for _, where := range [][]string{{"--function", stackFunction}} {
		r := s.tv("wrong-"+canary+"\n", append([]string{"set", "minut"}, where...)...).
			want(t, clierror.Refused, "minut was not changed")
		if strings.Contains(r.err, canary) || s.secret("minut") != before {
			t.Errorf(
				"set of a wrong secret prints %s and leaves %s, want the secret before",
				r.err,
				s.secret("minut"),
			)
		}
	}
	_, secret := s.client("minut")
	s.direct(secret+"\n", "set", "minut", "--scope", "").want(t, clierror.OK, "The new secret works")
	s.direct("", "set", "minut", "--client-id", "other").want(t, clierror.Refused, "minut was not changed")
	if err := s.providers.SetFault("minut", simulator.Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	s.direct("", "set", "minut", "--client-id", "other").
		want(t, clierror.OK, "could not be tried", "minut is written")
	listed, err := s.secrets.ListSecrets(t.Context(), &awssecrets.ListSecretsInput{})
	must(t, err)
	if len(listed.SecretList) != 1 {
		t.Errorf("after the trials Secrets Manager has %d secrets, want minut alone", len(listed.SecretList))
	}
}

func TestRmAsks(t *testing.T) {
	dir := t.TempDir()
	tv(t, dir, "s\n", addX...).want(t, clierror.OK)
	tv(t, dir, "y\n", "rm", "x").want(t, clierror.BadUsage, "--yes is needed", "nothing was removed")
	if !exists(dir, "x") {
		t.Error("rm without --yes has removed x, want it kept")
	}
	tv(t, dir, "", "rm", "x", "--yes").want(t, clierror.OK, "x is removed")
}

// fieldOf matches where package credential takes a field of a secret.
var fieldOf = regexp.MustCompile(`\bf\.(?:text|lines|flag|number|duration|object|named|list)\("([a-z_]+)"`)

// add has a flag for each field that package credential reads.
func TestAddHasAFlagForEachField(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	descriptor := file("descriptor", `{"name":"x","token":{"url":"https://example.com/token"}}`)
	flags := map[string][]string{
		"provider":      {"--provider", "minut"},
		"descriptor":    {"--descriptor-file", descriptor},
		"client_id":     {"--client-id", "i"},
		"client_secret": {"--client-secret-file", file("secret", "s\n")},
		"token_url":     {"--token-url", "https://example.com/"},
		"scope":         {"--scope", "a"},
		"audience":      {"--audience", "a"},
		"params":        {"--param", "tenant=a=b"},
		"variables":     {"--variable", "tenant=a"},
		"secrets":       {"--secret-file", "key=" + file("named", "k\n")},
		"grant":         {"--grant", "client_credentials"},
		"key_id":        {"--key-id", "k"},
		"proof":         {"--proof", "kms"},
		"private_key": {
			"--private-key-file",
			file("key", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"),
		},
		"certificate":   {"--certificate-file", file("certificate", "-----BEGIN CERTIFICATE-----\n")},
		"refresh_token": {"--refresh-token-file", file("refresh", "r")},
		"lifetime":      {"--lifetime", "1h"},
		"idle_after":    {"--idle-after", "24h"},
		"keep_warm":     {"--keep-warm"},
		"max_variants":  {"--max-variants", "7"},
		"quota":         {"--quota", "1000/day"},
		"allow": {
			"--allow-principal",
			"arn:aws:iam::123456789012:role/a",
			"--allow-alias",
			"b",
			"--allow-scope",
			"s",
			"--allow-audience",
			"a",
			"--allow-account",
			"a",
		},
	}
	help := tv(t, dir, "", "help", "add").want(t, clierror.OK).out
	for _, name := range grant.Names() {
		if !strings.Contains(help, name) {
			t.Errorf("help add = %s, want it to name the grant type %s", help, name)
		}
	}
	sources, err := filepath.Glob(filepath.Join("..", "..", "pkg", "credential", "secret", "*.go"))
	must(t, err)
	fields := map[string]bool{}
	for _, source := range sources {
		code, err := os.ReadFile(source)
		must(t, err)
		for _, found := range fieldOf.FindAllStringSubmatch(string(code), -1) {
			if !strings.HasSuffix(source, "_test.go") {
				fields[found[1]] = true
			}
		}
	}
	if len(fields) < len(flags)-3 {
		t.Errorf("package credential takes %d fields, want about %d", len(fields), len(flags))
	}
	for field := range fields {
		given, has := flags[field]
		if !has || !strings.Contains(help, given[0]) {
			t.Errorf("add has no flag for the field %s of a secret, want one", field)
		}
	}
	for field, given := range flags {
		if field == "descriptor" {
			continue // it stands instead of a provider
		}
		r := tv(t, dir, "s\n", append([]string{"add", "x", "--provider", "minut", "--client-id", "i"}, given...)...)
		if strings.Contains(r.err, "no such field") || r.code == clierror.BadUsage {
			t.Errorf("add %q = %s, want a field that is known", given, r.err)
		}
		if r.code == clierror.OK {
			if _, has := secretOf(t, dir, "x")[field]; !has {
				t.Errorf("add %q writes no %s, want that field", given, field)
			}
			tv(t, dir, "", "rm", "x", "--yes").want(t, clierror.OK)
		}
	}
	tv(
		t,
		dir,
		"s\n",
		"add",
		"x",
		"--descriptor-file",
		descriptor,
		"--client-id",
		"i",
		"--param",
		"tenant=a=b",
	).want(t, clierror.OK)
	got, _ := json.Marshal(secretOf(t, dir, "x"))
	want := `{"client_id":"i","client_secret":"s","descriptor":{"name":"x","token":{"url":"https://example.com/token"}},"params":{"tenant":"a=b"}}`
	if string(got) != want {
		t.Errorf("add --descriptor-file --param writes %s, want %s", got, want)
	}
	for flag, says := range map[string]string{
		"--param=novalue": "--param: expected NAME=VALUE", "--max-variants=x": "--max-variants: that value",
		"--descriptor-file=/nonexistent": "--descriptor-file: open", "--keep-warm=maybe": "--keep-warm",
	} {
		tv(t, dir, "s\n", "add", "y", "--provider", "minut", flag).want(t, clierror.BadUsage, says)
	}
}
