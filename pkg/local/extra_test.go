package local

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// Further values of a token response are stored, sealed, and vended. A renewal
// that does not name them again keeps them.
func TestCaseC08_ExtraValuesOutliveARestart(t *testing.T) {
	const host = "https://secret-instance.example"
	var asked atomic.Int32
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answers := []string{
			`{"access_token":"token-1","expires_in":1,"instance_url":"` + host + `","plan":1}`,
			`{"access_token":"token-2","expires_in":3600,"plan":2}`,
		}
		_, _ = io.WriteString(w, answers[min(asked.Add(1), 2)-1])
	}))
	t.Cleanup(own.Close)
	data := withCredential(t, "other", own.URL)
	secret, err := json.Marshal(map[string]any{
		"client_id": "own", "client_secret": "own-secret",
		"descriptor": map[string]any{
			"token":    map[string]any{"url": own.URL},
			"response": map[string]any{"extra": map[string]string{"instance_url": "/instance_url", "plan": "/plan"}},
			"use":      map[string]string{"header": "X-Access-Token"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, data+"/"+datafolder.CredentialsName+"/own.json", string(secret), 0o600)
	var log buffer
	c := Config{Data: data, AllowPrivate: true, Log: textLog(&log)}
	r := start(t, c)

	check := func(what string, got api.Token, access, plan string) {
		t.Helper()
		want := map[string]string{"instance_url": host, "plan": plan}
		if got.AccessToken != access || !maps.Equal(got.Extra, want) || got.Use != (api.Use{Header: "X-Access-Token"}) {
			t.Errorf("token(own) %s = %s, extra %v, use %+v; want %s, %v, the header X-Access-Token",
				what, got.AccessToken, got.Extra, got.Use, access, want)
		}
	}
	check("at first", r.token(t, "own"), "token-1", "1")
	time.Sleep(1100 * time.Millisecond) // until it has expired
	check("after a renewal", r.token(t, "own"), "token-2", "2")
	if err := r.stop(); err != nil {
		t.Fatal(err)
	}
	check("after a restart", start(t, c).token(t, "own"), "token-2", "2")
	if asked.Load() != 2 || strings.Contains(log.String(), "secret-instance") {
		t.Errorf("the provider had %d requests, want 2; or the log shows an extra value", asked.Load())
	}
	plain := start(t, Config{Data: withCredential(t, "own", own.URL), AllowPrivate: true}).token(t, "own")
	if plain.Extra != nil || plain.Use != (api.Use{}) {
		t.Errorf("token(own) without extra in its descriptor = %v, %+v, want neither", plain.Extra, plain.Use)
	}
}
