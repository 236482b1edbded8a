package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

func TestAddWithoutAServer(t *testing.T) {
	dir := t.TempDir()
	r := tv(
		t,
		dir,
		"hunter2\nrest",
		"add",
		"x",
		"--provider",
		"oauth2",
		"--client-id",
		"me",
		"--token-url",
		"https://example.com/token",
		"--scope",
		"read",
		"--audience",
		"a",
		"--keep-warm",
		"--allow-scope",
		"write",
		"--allow-scope",
		"admin",
	).want(t, clierror.OK, "was not tried", "no server runs here", "GET/tokens/x")
	if r.out != "" || strings.Contains(r.err, "hunter2") {
		t.Errorf("add without a server writes %q and %q, want no output and no secret", r.out, r.err)
	}
	got, _ := json.Marshal(secretOf(t, dir, "x"))
	want := `{"allow":{"scopes":["write","admin"]},"audience":"a","client_id":"me","client_secret":"hunter2","keep_warm":true,"provider":"oauth2","scope":"read","token_url":"https://example.com/token"}`
	if string(got) != want {
		t.Errorf("add writes %s, want %s", got, want)
	}
	tv(
		t,
		dir,
		"s",
		"add",
		"x",
		"--provider",
		"minut",
		"--client-id",
		"me",
	).want(t, clierror.Failed, "there already", "tokenvend set")
}

// A provider whose example has a proof needs no secret, and no key.
func TestAddWithAProof(t *testing.T) {
	dir := t.TempDir()
	federated := []string{"--provider", "entra-federated", "--client-id", "me", "--variable", "tenant=t"}
	tv(t, dir, "", append([]string{"add", "cloud"}, federated...)...).want(t, clierror.OK, "The proof is sts")
	tv(t, dir, "", append([]string{"add", "here", "--proof", "file"}, federated...)...).want(t, clierror.OK)
	for name, want := range map[string]string{"cloud": "sts", "here": "file"} {
		secret := secretOf(t, dir, name)
		if got := secret["proof"]; got != want || secret["private_key"] != nil {
			t.Errorf("the secret of %s = %v, want the proof %s and no key", name, secret, want)
		}
	}
	tv(t, dir, "", append([]string{"add", "x", "--proof", "/etc/passwd"}, federated...)...).
		want(t, clierror.Refused, "proof: kms, sts or file")
	tv(t, dir, "s", "set", "here", "--proof", "arn:aws:kms:us-east-1:111122223333:key/1").
		want(t, clierror.Refused, "proof: kms, sts or file")
}

func TestAddSaysAllThatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		stdin string
		args  []string
		code  clierror.Code
		says  []string
	}{
		{"s", []string{"--client-id", "i"}, clierror.BadUsage, []string{"--provider is needed"}},
		{"s", []string{"--provider", "minut"}, clierror.BadUsage, []string{"--client-id is needed"}},
		{"s", []string{"--provider", "miden", "--client-id", "i"}, clierror.BadUsage,
			[]string{"--token-url is needed"}},
		{"s", []string{"--provider", "nobody", "--client-id", "i"}, clierror.BadUsage,
			[]string{"--provider: expected one of ", ", miden, minut, "}},
		{"", []string{"--provider", "minut", "--client-id", "i"}, clierror.BadUsage,
			[]string{"the client secret is needed"}},
		{"s", []string{"--json", "--scope", "x"}, clierror.BadUsage, []string{"no flag adds to it"}},
		{"s", []string{"--provider", "miden", "--client-id", "a:b", "--token-url", "http://example.com"},
			clierror.Refused, []string{"\n  token_url: an https URL", "\n  client_id: no colon"}},
		{`{"provider":"minut","client_secret":"hunter2","nonsense":1}`, []string{"--json"}, clierror.Refused,
			[]string{"client_id: required", "nonsense: no such field"}},
		{"hunter2", []string{"--json"}, clierror.Refused, []string{"one JSON object"}},
	} {
		r := tv(t, dir, c.stdin, append([]string{"add", "x"}, c.args...)...).want(t, c.code, c.says...)
		if exists(dir, "x") || strings.Contains(r.err, "hunter2") {
			t.Errorf("add %q = %s, want nothing written and no secret shown", c.args, r.err)
		}
	}
}

func TestAddTriesTheSecret(t *testing.T) {
	s := demo(t, t.TempDir())
	known := secretOf(t, s.dir, "minut")
	add := func(stdin string) ran {
		return tv(t, s.dir, stdin, "add", "mine", "--provider", "minut", "--client-id", text(known["client_id"]))
	}
	add("wrong\n").want(t, clierror.Refused, "was not added", "the provider refused", "check client id")
	if exists(s.dir, "mine") {
		t.Error("add of a refused secret leaves the file, want none")
	}
	add(text(known["client_secret"])+"\n").want(t, clierror.OK, "mine works", "fingerprint")
	tv(t, s.dir, "", "get", "mine").want(t, clierror.OK)

	tv(t, s.dir, "", "rm", "mine", "--yes").want(t, clierror.OK, "is removed")
	if exists(s.dir, "mine") {
		t.Error("rm leaves the file, want none")
	}
	tv(t, s.dir, "", "rm", "mine", "--yes").want(t, clierror.NotFound, "no credential mine")
}

func TestAddOfANameThatWasAskedForBefore(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "get", "early").want(t, clierror.NotFound)
	whole, _ := json.Marshal(secretOf(t, s.dir, "trackmania"))
	tv(t, s.dir, string(whole), "add", "--json", "early").want(t, clierror.OK, "early works")
}

func TestAddWhileTheProviderIsAway(t *testing.T) {
	s := demo(t, t.TempDir())
	s.fault(t, "trackmania", `{"down":true}`)
	whole, _ := json.Marshal(secretOf(t, s.dir, "trackmania"))
	tv(
		t,
		s.dir,
		string(whole),
		"add",
		"tm",
		"--json",
	).want(t, clierror.OK, "tm is written ("+filePath(s.dir, "tm")+"), but could not be tried: ", "can't be asked now")
	if !exists(s.dir, "tm") {
		t.Error("add while the provider is away keeps no file, want it kept")
	}
}

func TestSet(t *testing.T) {
	dir := t.TempDir()
	tv(t, dir, "s", "set", "x").want(t, clierror.NotFound, "tokenvend add x makes one")
	tv(t, dir, "old", "add", "x", "--provider", "minut", "--client-id", "me", "--scope", "read").want(t, clierror.OK)
	tv(t, dir, "new\n", "set", "x").want(t, clierror.OK, "tokenvend renew x")
	tv(t, dir, "", "set", "--client-id", "you", "x").want(t, clierror.OK)
	got, _ := json.Marshal(secretOf(t, dir, "x"))
	if string(got) != `{"client_id":"you","client_secret":"new","provider":"minut","scope":"read"}` {
		t.Errorf("set --client-id writes %s, want the other fields kept", got)
	}
	tv(t, dir, "", "set", "x", "--token-url", "nonsense").want(t, clierror.Refused, "token_url")
	tv(
		t,
		dir,
		`{"provider":"minut","client_id":"c","client_secret":"d"}`,
		"set",
		"x",
		"--json",
		"--yes",
	).want(t, clierror.OK)
	if secretOf(t, dir, "x")["client_id"] != "c" {
		t.Error("set --json keeps the client_id, want the whole secret replaced")
	}
	if err := os.WriteFile(filePath(dir, "x"), []byte("{broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	tv(t, dir, "s", "set", "x", "--provider", "minut", "--client-id", "me", "--yes").want(t, clierror.OK)
}

func TestSetOfAnInlineDescriptorWithoutASecret(t *testing.T) {
	dir := t.TempDir()
	whole := `{"client_id":"me","descriptor":{"name":"open","token":{"url":"https://example.com/token","auth":"none"}}}`
	tv(t, dir, whole, "add", "x", "--json").want(t, clierror.OK)
	tv(t, dir, "", "set", "x", "--keep-warm").want(t, clierror.OK)
	if fields := secretOf(t, dir, "x"); fields["keep_warm"] != true || fields["client_secret"] != nil {
		t.Errorf("set --keep-warm writes %v, want keep_warm and no client_secret", fields)
	}
}
