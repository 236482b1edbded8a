package main

import (
	"encoding/json"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// add asks for what the provider declares, in that order, and asks again where
// an answer cannot be used. set asks for nothing that may be left out.
func TestAddAsksOnATerminal(t *testing.T) {
	dir := t.TempDir()
	r := converse(t, dir, []prompt{
		{question: "client id: ", answer: "me"},
		{question: "Tenant name: ", answer: "acme"},
		{question: "(us, eu, au, jp, uk or ca): ", answer: "mars"},
		{question: "expected one of us, eu, au, jp, uk, ca", answer: "eu"},
		{question: "audience, such as https://api.example.com/ (may be left out): ", answer: ""},
		{question: "client secret: ", answer: "HUSH-1", hidden: true},
	}, "add", "x", "--provider", "auth0")
	if r.code != clierror.OK {
		t.Errorf("add on a terminal = %d, %s, want success", r.code, r.out)
	}
	r = converse(t, dir, []prompt{
		{question: "new client secret (none: x keeps the one it has): ", answer: "HUSH-2", hidden: true},
	}, "set", "x")
	if r.code != clierror.OK {
		t.Errorf("set on a terminal = %d, %s, want success", r.code, r.out)
	}
	got, _ := json.Marshal(secretOf(t, dir, "x"))
	const want = `{"client_id":"me","client_secret":"HUSH-2","provider":"auth0",` +
		`"variables":{"region":"eu","tenant":"acme"}}`
	if string(got) != want {
		t.Errorf("add and set write %s, want %s", got, want)
	}
}

func TestAddAsksForNoVariableOfATokenURLThatIsGiven(t *testing.T) {
	dir := t.TempDir()
	const own = "https://login.example.com/oauth/token"
	r := converse(t, dir, []prompt{
		{question: "client id: ", answer: "me"},
		{question: "audience, such as ", answer: ""},
		{question: "client secret: ", answer: "HUSH-1", hidden: true},
	}, "add", "x", "--provider", "auth0", "--token-url", own, "--no-trial")
	if got := secretOf(t, dir, "x"); r.code != clierror.OK || got["token_url"] != own || got["variables"] != nil {
		t.Errorf("add with a token URL = %d, %s, %v, want no variables", r.code, r.out, got)
	}
}

// Where a provider takes a proof, neither add nor set asks for a private key.
func TestAddAsksForNoKeyBesideAProof(t *testing.T) {
	dir := t.TempDir()
	r := converse(t, dir, []prompt{
		{question: "client id: ", answer: "me"},
		{question: "a verified domain of the tenant: ", answer: "contoso.onmicrosoft.com"},
		{question: "scope, such as ", answer: ""},
	}, "add", "x", "--provider", "entra-federated", "--no-trial")
	fields := secretOf(t, dir, "x")
	if r.code != clierror.OK || fields["proof"] != "sts" || fields["private_key"] != nil {
		t.Errorf("add of a proof = %d, %s, %v, want the proof sts", r.code, r.out, fields)
	}
	tv(t, dir, "", "set", "x", "--scope", "https://graph.microsoft.com/.default", "--no-trial", "--yes").
		want(t, clierror.OK)
	tv(t, dir, "", "probe", "entra-federated", "--client-id", "me", "--variable", "tenant=a").
		want(t, clierror.Unsupported, "AWS STS issues it for the roles of a stack's functions. ")
}
