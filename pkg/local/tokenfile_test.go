package local

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// A token in a file authenticates the credential that it is bound to, and is
// read anew for each request. Another credential of the same folder, whose
// secret asks for the same, has nothing of it.
func TestTokenFileAuthenticatesItsCredential(t *testing.T) {
	var requests atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		_, _ = fmt.Fprintf(w, `{"access_token":"FOR_%s","expires_in":3600}`, r.FormValue("client_assertion"))
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	write(t, file, "FIRST\n", 0o600)
	files, err := proof.ParseFiles([]string{"mine=" + file + "@" + at.Host})
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, datafolder.CredentialsName), 0o700); err != nil {
		t.Fatal(err)
	}
	secret := fmt.Sprintf(`{"client_id":"id","proof":"file","allow":{"scopes":["b"]},
		"descriptor":{"token":{"url":"%s/token","auth":"private_key_jwt"}}}`, server.URL)
	for _, name := range []string{"mine", "other"} {
		write(t, filepath.Join(data, datafolder.CredentialsName, name+".json"), secret, 0o600)
	}
	r := start(t, Config{Data: data, AllowPrivate: true, TokenFiles: files})
	if got := r.token(t, "mine"); got.AccessToken != "FOR_FIRST" {
		t.Errorf("token(mine) = %q, want FOR_FIRST", got.AccessToken)
	}
	write(t, file, "SECOND\n", 0o600)
	if got := r.token(t, "mine?scope=b"); got.AccessToken != "FOR_SECOND" {
		t.Errorf("token(mine?scope=b) = %q, want FOR_SECOND", got.AccessToken)
	}
	before := requests.Load()
	got := r.get(t, "/tokens/other")
	if !strings.Contains(got.Body, `"misconfigured"`) || strings.Contains(got.Body, file) || requests.Load() != before {
		t.Errorf("GET /tokens/other = %d %s by %d requests, want misconfigured, no path and none",
			got.Status, got.Body, requests.Load()-before)
	}
}

func TestTokenFileNotBesideADemo(t *testing.T) {
	err := Serve(t.Context(), Config{
		Demo: true, Data: t.TempDir(), Listen: "127.0.0.1:0", DemoListen: "127.0.0.1:0", Out: io.Discard,
		TokenFiles: proof.Bindings{{Credential: "a", Kind: proof.File, Source: "/token", Host: "h.test"}},
	})
	if err == nil || !strings.Contains(err.Error(), "--token-file") {
		t.Errorf("Serve(demo with a token file) = %v, want an error that names --token-file", err)
	}
}
