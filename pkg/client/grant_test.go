package client_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

func TestAPersonsGrant(t *testing.T) {
	var seen []string
	c := clientOf(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Method+" "+r.URL.RequestURI()+" "+string(body))
		if r.Method == http.MethodGet && r.URL.Path == "/tokens/x/authorize" {
			write(w, http.StatusOK, api.Authorization{URL: "https://auth.example.com/", PKCE: "S256"})
			return
		}
		write(w, http.StatusOK, api.StatusReport{Credential: "x", State: api.Fresh, Verified: &api.Verified{Works: true}})
	})))
	options := []client.Option{client.Account("alice smith"), client.Scope("b a"), client.MinTTL(time.Hour)}
	at, err := c.Authorize(t.Context(), "x", "http://127.0.0.1:1/connected?a=b", options...)
	if err != nil || at != (api.Authorization{URL: "https://auth.example.com/", PKCE: "S256"}) {
		t.Errorf("Authorize: %+v, %v", at, err)
	}
	report, err := c.Connect(t.Context(), "x", client.Grant{Code: "c0de", CodeVerifier: "v", RedirectURI: "http://127.0.0.1:1/connected"}, options...)
	if err != nil || report.State != api.Fresh {
		t.Errorf("Connect: %+v, %v", report, err)
	}
	if _, err := c.Recover(t.Context(), "x", "blob"); err != nil {
		t.Errorf("Recover: %v", err)
	}
	if _, err := c.Renew(t.Context(), "x", client.Account("alice")); err != nil {
		t.Errorf("Renew() = %v", err)
	}
	if report, err := c.Verify(t.Context(), "x", options...); err != nil || report.Verified == nil || !report.Verified.Works {
		t.Errorf("Verify: %+v, %v", report, err)
	}
	want := []string{
		"GET /tokens/x/authorize?account=alice%20smith&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconnected%3Fa%3Db&scope=b%20a ",
		`PUT /tokens/x {"scope":"b a","account":"alice smith","redirect_uri":"http://127.0.0.1:1/connected","code":"c0de","code_verifier":"v"}`,
		`PUT /tokens/x {"recovery":"blob"}`,
		`PUT /tokens/x {"account":"alice","renew":true}`,
		"GET /tokens/x/status?account=alice%20smith&scope=b%20a&verify=true ",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("sent\n%q, want\n%q", seen, want)
	}
}

// The token of the grant before is not given out any more.
func TestANewGrantBringsANewToken(t *testing.T) {
	d := hour()
	c := clientOf(serve(t, d))
	before := mustToken(t, c, client.Account("alice"))
	if _, err := c.Connect(t.Context(), "minut", client.Grant{Code: "c0de"}, client.Account("alice")); err != nil {
		t.Fatal(err)
	}
	if after := mustToken(t, c, client.Account("alice")); after == before {
		t.Error("the old token is still given out")
	}
	d.refuse(&api.Error{Code: api.NeedsReauthorizing, Detail: "over"})
	_, err := c.Connect(t.Context(), "minut", client.Grant{Code: "c0de"}, client.Account("alice"))
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != api.NeedsReauthorizing {
		t.Errorf("%v", err)
	}
}
