//go:build testall && linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/encryptedkey"
)

// onTerminal is a provider, what a user is asked for on a terminal, and the
// flags of the command.
type onTerminal struct {
	provider string
	flags    []string
	prompts  []prompt
}

// catalogueOnTerminal has providers of each kind: a secret, a key, a
// certificate, variables, and a token that no request brings. {dir} is the
// folder with the files.
var catalogueOnTerminal = []onTerminal{
	{"zoom", nil, []prompt{
		{question: "client id: ", answer: "CLIENT_ID"},
		{question: "Account ID, from the app's page: ", answer: "AbCdEf123"},
		{question: "client secret: ", answer: "SECRET", hidden: true},
	}},
	{"auth0", nil, []prompt{
		{question: "client id: ", answer: "CLIENT_ID"},
		{question: "Tenant name: the first part of TENANT.REGION.auth0.com: ", answer: "acme"},
		{question: "Region: the second part (us, eu, au, jp, uk or ca): ", answer: "mars"},
		{question: "expected one of us, eu, au, jp, uk, ca", answer: "eu"},
		{question: "audience, such as https://api.example.com/ (may be left out): ", answer: "https://api.example.com/"},
		{question: "client secret: ", answer: "SECRET", hidden: true},
	}},
	{"google-service-account", nil, []prompt{
		{question: "client id: ", answer: "robot@project.iam.gserviceaccount.com"},
		{question: "the service account itself (may be left out): ", answer: ""},
		{question: "ID of the private key at the provider, such as 0123abcd (may be left out): ", answer: "0123abcd"},
		{question: "scope, such as ", answer: "https://www.googleapis.com/auth/cloud-platform"},
		{question: "private key (a PEM file): ", answer: "{dir}/key.json"},
	}},
	{"salesforce-jwt", []string{"--lifetime", "6s"}, []prompt{
		{question: "client id: ", answer: "CONSUMER_KEY"},
		{question: "User name of the Salesforce user to act as: ", answer: "robot@mycompany.com"},
		{
			question: "Login host (login.salesforce.com or test.salesforce.com; none: login.salesforce.com): ",
			answer:   "",
		},
		{question: "private key (a PEM file): ", answer: "{dir}/key.pem"},
	}},
	{"github-app", nil, []prompt{
		{question: "client id: ", answer: "Iv23liABCDEF"},
		{question: "ID of the installation: ", answer: "12345678"},
		{question: "private key (a PEM file): ", answer: "{dir}/none.pem"},
		{question: "no such file", answer: "{dir}/encrypted.pem"},
		{question: "passphrase of the private key: ", answer: "wrong", hidden: true},
		{question: "does not decrypt", answer: "hush", hidden: true},
	}},
	{"entra-certificate", nil, []prompt{
		{question: "client id: ", answer: "11111111-2222-3333-4444-555555555555"},
		{question: "a verified domain of the tenant: ", answer: "contoso.onmicrosoft.com"},
		{question: "scope, such as ", answer: "https://graph.microsoft.com/.default"},
		{question: "client certificate (a PEM file): ", answer: "{dir}/certificate.pem"},
		{question: "private key (a PEM file): ", answer: "{dir}/key.pem"},
	}},
	{"snowflake", nil, []prompt{
		{question: "Account identifier in upper case: ", answer: "MYORG-MYACCOUNT"},
		{question: "User name in upper case: ", answer: "ROBOT"},
		{question: "private key (a PEM file): ", answer: "{dir}/key.pem"},
	}},
}

// Users add providers of the catalogue at a terminal. Each is vended, renewed
// ahead of time by the server, and refused in words that are understood.
func TestCatalogueOnATerminal(t *testing.T) {
	dir := t.TempDir()
	writeKeys(t, dir)
	var providers []string
	for _, c := range catalogueOnTerminal {
		if c.provider != "snowflake" { // to which no request goes
			providers = append(providers, c.provider)
		}
	}
	vendors := newVendors(t, dir, providers...)
	serveVendors(t, dir, vendors)
	for _, c := range catalogueOnTerminal {
		r := converse(t, dir, c.prompts, append([]string{"add", c.provider, "--provider", c.provider}, c.flags...)...)
		if r.code != clierror.OK || !strings.Contains(r.out, c.provider+" works: a token with the fingerprint") {
			t.Fatalf("add %s on a terminal = %d\n%s\nwant a token", c.provider, r.code, r.out)
		}
		for _, secret := range []string{"secret: SECRET", "hush", "wrong"} {
			if strings.Contains(r.out, secret) {
				t.Errorf("add %s shows on the terminal\n%s\nwant it without %s", c.provider, r.out, secret)
			}
		}
		token := tv(t, dir, "", "get", c.provider).want(t, clierror.OK).out
		if c.provider != "snowflake" && !strings.Contains(token, "TOKEN-OF-"+c.provider) {
			t.Errorf("get %s = %s, want the provider's token", c.provider, token)
		}
	}
	vendors.check(t)
	for _, c := range catalogueOnTerminal {
		if c.provider != "snowflake" { // whose tokens live for an hour, whatever a server answers
			waitForRenewal(t, dir, c.provider)
		}
	}
	vendors.refuse("the client is not known")
	for _, c := range catalogueOnTerminal {
		tv(t, dir, "", "revoke", c.provider).want(t, clierror.OK)
		if c.provider == "snowflake" {
			tv(t, dir, "", "get", c.provider).want(t, clierror.OK) // signed anew
			continue
		}
		tv(t, dir, "", "get", c.provider).want(t, clierror.Refused, "the provider refused", "check client id")
	}
	zoom := catalogueOnTerminal[0]
	r := converse(t, dir, zoom.prompts, "add", "another", "--provider", "zoom")
	if r.code != clierror.Refused || exists(dir, "another") {
		t.Errorf("add of a refused secret = %d\n%s\nwant that it is not kept", r.code, r.out)
	}
}

// writeKeys writes one key in all forms, and its certificate.
func writeKeys(t *testing.T, dir string) {
	t.Helper()
	encrypted, err := os.ReadFile("internal/encryptedkey/testdata/rsa.pem")
	must(t, err)
	key, err := encryptedkey.Decrypt(encryptedkey.Find(string(encrypted)), "hush")
	must(t, err)
	asJSON, err := json.Marshal(map[string]string{"type": "service_account", "private_key": key})
	must(t, err)
	for name, text := range map[string][]byte{
		"encrypted.pem": encrypted, "key.pem": []byte(key), "key.json": asJSON,
		"certificate.pem": certificateOf(t, key, "client.test"),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
}

// serveVendors runs the server, which reaches every provider through a proxy
// that leads to one server of the test.
func serveVendors(t *testing.T, dir string, v *vendors) {
	t.Helper()
	s := &served{dir: dir}
	s.start(t, nil, "serve", "--listen", "127.0.0.1:0", "--every", "1s", "--proxy", v.proxy, "--ca",
		filepath.Join(dir, "ca.pem"))
	for range 500 {
		if listens.MatchString(s.out.String()) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("serve prints in 10 s %s%s, want its address", s.out.String(), s.log.String())
}

// waitForRenewal waits until the server has renewed a token ahead.
func waitForRenewal(t *testing.T, dir, name string) {
	t.Helper()
	var status struct {
		Generation int
		State      string
	}
	for range 100 {
		r := tv(t, dir, "", "status", name, "--json")
		must(t, json.NewDecoder(bytes.NewReader([]byte(r.out))).Decode(&status))
		if status.Generation > 1 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Errorf("status %s = %+v after 10 s, want a renewed token", name, status)
}
