package mint_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// tenants is a token endpoint that issues a token for the tenant that a
// parameter of the request names, by the grant of the request.
type tenants struct {
	parameter string
	issued    atomic.Int32
}

// RoundTrip implements [http.RoundTripper].
func (e *tenants) RoundTrip(r *http.Request) (*http.Response, error) {
	form, err := formOf(r)
	if err != nil {
		return nil, err
	}
	grant := form.Get("grant_type")
	short := map[string]string{"client_credentials": "client", "authorization_code": "code", "refresh_token": "refresh"}
	answer := map[string]any{
		"access_token": form.Get(e.parameter) + "-by-" + short[grant], "token_type": "Bearer", "expires_in": 3600,
	}
	if n := e.issued.Add(1); grant != "client_credentials" {
		answer["refresh_token"] = "opaque" + strconv.Itoa(int(n))
	}
	w := httptest.NewRecorder()
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

// The parameter that names a tenant belongs to the request. When it changes, a
// new token is requested at the next vend, and grants are kept.
func TestCaseC31_ChangedTenantBringsANewToken(t *testing.T) {
	for name, parameter := range map[string]string{
		"a tenant": "tenant",
		// Auth0: Machine-to-Machine Access for Organizations
		"an organization": "organization",
		// Zoom: Server-to-Server OAuth
		"an account": "account_id",
		// RFC 8707 §2: the API that the token is for
		"a resource": "resource",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { changedTenant(t, &tenants{parameter: parameter}) })
		})
	}
}

func changedTenant(t *testing.T, endpoint *tenants) {
	w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: endpoint}})
	put := func(tenant string) {
		w.PutSecret("api", map[string]any{
			"descriptor": map[string]any{
				"token":     map[string]any{"url": "https://id.example/token", "auth": "post"},
				"authorize": map[string]any{"url": "/authorize"}, "refresh": map[string]any{},
			},
			"client_id": "id", "client_secret": "secret", "params": map[string]any{endpoint.parameter: tenant},
		})
		w.Pass(w.NewRotator(w.NewProcess()))
	}
	own, alice := testworld.Key("api"), testworld.Account("api", "alice")
	put("one")
	m := w.NewProcess()
	if got := w.Token(m, own).Token.Access.Reveal(); got != "one-by-client" {
		t.Errorf("Token(%s) = %s, want one-by-client", own, got)
	}
	at, err := m.Authorization(t.Context(), alice, testworld.RedirectURI)
	testworld.Must(t, err)
	testworld.Must(t, m.Connect(t.Context(), alice, attempt.Code{
		Code: redact.New("code"), Verifier: redact.New(testworld.CodeVerifier), RedirectURI: testworld.RedirectURI,
		Destination: at.Destination,
	}))

	put("two")
	for k, want := range map[token.Key]string{own: "two-by-client", alice: "two-by-refresh"} {
		if got := w.Token(w.NewProcess(), k).Token.Access.Reveal(); got != want {
			t.Errorf("Token(%s) after the change = %s, want %s", k, got, want)
		}
	}
	if n := endpoint.issued.Load(); n != 4 {
		t.Errorf("%d token requests, want 4: two before and two after the change", n)
	}
}
