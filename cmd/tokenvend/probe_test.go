package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

func TestDescriptorLint(t *testing.T) {
	dir := t.TempDir()
	const wrong = `{"token":{"url":"http://id.example/token","auth":"digest","bodi":"json"},"response":{"expiry":{"kind":7}}}`
	r := tv(t, dir, wrong, "descriptor", "lint", "-", "--output", "json")
	var got struct {
		Valid    bool
		Problems []struct{ Field, Problem, Read string }
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || got.Valid || r.code != clierror.Refused {
		t.Fatalf("descriptor lint = %d, %s, %v, want problems in JSON", r.code, r.out, err)
	}
	page, err := os.ReadFile("../../docs/reference/descriptor.md")
	must(t, err)
	var fields []string
	for _, p := range got.Problems {
		fields = append(fields, p.Field)
		_, section, _ := strings.Cut(p.Read, "#")
		heading := regexp.MustCompile(`(?mi)^#+ ` + strings.ReplaceAll(section, "-", " ") + `$`)
		if p.Problem == "" || section == "" || !heading.Match(page) {
			t.Errorf("descriptor lint says %+v, want what is expected and a section of the reference", p)
		}
	}
	const want = "response.expiry.kind token.auth token.bodi token.url"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("descriptor lint names %s, want %s", got, want)
	}

	valid := filepath.Join(dir, "valid.json")
	must(t, os.WriteFile(valid, []byte(
		`{"token":{"url":"https://{variables.v}.id.example/token"},"variables":{"v":{}}}`,
	), 0o600))
	out := tv(t, dir, "", "descriptor", "lint", valid).want(t, clierror.OK).out
	if !strings.Contains(out, "client_id, variables.v, client_secret") {
		t.Errorf("descriptor lint prints %s, want the fields of a credential", out)
	}
	tv(t, dir, "", "descriptor", "lint", filepath.Join(dir, "none")).want(t, clierror.BadUsage, "no such file")
	tv(t, dir, "", "descriptor").want(t, clierror.BadUsage, "expected lint")
}

func TestProbe(t *testing.T) {
	dir := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		if secret != "HUSH-1" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":"invalid_client"}`)
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"TOKEN-1","expires_in":3600,"api_url":"https://api.example"}`)
	}))
	defer server.Close()
	probe := []string{"probe", "zoom", "--client-id", "me", "--variable", "account_id=a1", "--token-url", server.URL}
	r := tv(t, dir, "HUSH-1\n", probe...).want(t, clierror.OK)
	for _, want := range []string{
		"POST " + server.URL, "Authorization: Basic base64(me:[client_secret])", "account_id=a1", "HTTP 200, JSON",
		"/api_url       string", "in 1h0m0s", "extra.api_url",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("probe prints %s\nwant it to have %s", r.out, want)
		}
	}
	if strings.Contains(r.out+r.err, "HUSH") || strings.Contains(r.out+r.err, "TOKEN-1") {
		t.Errorf("probe prints %s%s, want no secret", r.out, r.err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("probe leaves %d files, %v, want none", len(files), err)
	}
	r = tv(t, dir, "wrong\n", probe...)
	if r.code != clierror.Refused || !strings.Contains(r.out, "invalid_client") {
		t.Errorf("probe with a wrong secret = %d, %s, want the refusal", r.code, r.out)
	}
	whole := `{"client_id":"me","client_secret":"HUSH-1","variables":{"account_id":"a1"},"token_url":"` + server.URL + `"}`
	tv(t, dir, whole, "probe", "zoom", "--json", "--output", "json").want(t, clierror.OK)
	tv(t, dir, "s", "probe", "google", "--client-id", "me").want(t, clierror.Unsupported, "needs a user")
	tv(t, dir, "", "probe", "nobody").want(t, clierror.BadUsage, "a provider of the catalogue, or a file")
}

// Editors on Windows put a byte order mark before a text. It is no part of a
// secret, wherever that is read.
func TestSecretsAreReadWithoutByteOrderMark(t *testing.T) {
	dir := t.TempDir()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, secret, _ := r.BasicAuth(); secret != "HUSH-1" {
			w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(w, `{"access_token":"TOKEN-1"}`)
	}))
	defer server.Close()
	const mark = "\ufeff"
	file, descriptor := filepath.Join(dir, "secret"), filepath.Join(dir, "descriptor.json")
	must(t, os.WriteFile(file, []byte(mark+"HUSH-1\r\n"), 0o600))
	must(t, os.WriteFile(descriptor, []byte(mark+`{"token":{"url":"`+server.URL+`"}}`), 0o600))
	probe := []string{"probe", descriptor, "--client-id", "me"}
	tv(t, dir, "", append(probe, "--client-secret-file", file)...).want(t, clierror.OK)
	tv(t, dir, mark+"HUSH-1\r\n", probe...).want(t, clierror.OK)
	tv(t, dir, mark+`{"client_id":"me","client_secret":"HUSH-1"}`, "probe", descriptor, "--json").want(t, clierror.OK)
	tv(t, dir, "", "descriptor", "lint", descriptor).want(t, clierror.OK)
}

// probe goes through the proxy of --proxy, as serve does, and through no other.
func TestProbeGoesThroughAProxy(t *testing.T) {
	dir := t.TempDir()
	var asked sync.Map
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store("request", r.Method+" "+r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	probe := []string{"probe", "oauth2", "--client-id", "me", "--token-url", "https://id.test/token"}
	r := tv(t, dir, "HUSH-1\n", append(probe, "--proxy", proxy.URL)...)
	if got, _ := asked.Load("request"); r.code != clierror.Failed || got != "CONNECT id.test:443" {
		t.Errorf("probe --proxy asks the proxy for %q and exits with %d, want CONNECT id.test:443 and %d",
			got, r.code, clierror.Failed)
	}
	tv(t, dir, "HUSH-1\n", append(probe, "--proxy", "https://me:HUSH@proxy.test:1")...).
		want(t, clierror.BadUsage, "--proxy: expected http://HOST:PORT, without user and password")
}

// A proof is made elsewhere: probe says where.
func TestProbeHasNoProof(t *testing.T) {
	for kind, want := range map[string]string{
		"kms": "a key in AWS KMS signs it", "sts": "AWS STS issues it", "file": "from a file of --token-file",
	} {
		secret := `{"client_id":"me","proof":"` + kind + `","variables":{"tenant":"a.example"}}`
		r := tv(t, t.TempDir(), secret, "probe", "entra-federated", "--json").want(t, clierror.Unsupported, want)
		if !strings.Contains(r.err, "add tries the credential there") {
			t.Errorf("probe with a proof %s prints %s, want what to do instead", kind, r.err)
		}
	}
}
