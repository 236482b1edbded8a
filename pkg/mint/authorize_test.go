package mint_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// company is a secret whose provider tells the company in the authorization
// response.
func company(scope string) map[string]any {
	return map[string]any{
		"descriptor": map[string]any{
			"token":   map[string]any{"url": "https://id.example/token", "auth": "post"},
			"refresh": map[string]any{},
			"authorize": map[string]any{
				"url": "/authorize", "code": "auth_code", "pkce": "plain",
				"fields": map[string]any{"client_id": "app_id", "response_type": "", "scope": ""},
				"params": map[string]any{"response_type": "auth"},
				"extra":  map[string]any{"company": "realmId"},
			},
		},
		"client_id": "id", "client_secret": "one", "scope": scope,
		"allow": map[string]any{"accounts": []string{"*"}},
	}
}

// What the authorization response names is vended with the tokens of the grant,
// also after a renewal, and after a change of what is requested.
func TestParametersOfTheAuthorizationResponseAreVended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: &logins{}}})
		learnLogin(w, company(""))
		m, alice := w.NewProcess(), testworld.Account("api", "alice")
		at, err := m.Authorization(t.Context(), alice, testworld.RedirectURI)
		testworld.Must(t, err)
		const query = "app_id=id&redirect_uri=http%3A%2F%2F127.0.0.1%3A8976%2Fconnected&response_type=auth"
		if !strings.HasSuffix(at.URL, "/authorize?"+query) || at.Challenge != "plain" ||
			at.CodeParameter != "auth_code" || strings.Join(at.Extra, " ") != "realmId" {
			t.Errorf("Authorization(%s) = %+v, want %s, plain, auth_code and realmId", alice, at, query)
		}
		testworld.Must(t, m.Connect(t.Context(), alice, attempt.Code{
			Code: redact.New("code"), Verifier: redact.New(testworld.CodeVerifier), RedirectURI: testworld.RedirectURI,
			Destination: at.Destination,
			Response:    url.Values{"realmId": {"46"}, "other": {"x"}},
		}))
		wantCompany := func(when string) {
			t.Helper()
			extra := w.Token(w.NewProcess(), alice).Token.Extra
			if len(extra) != 1 || extra["company"].Reveal() != "46" {
				t.Errorf("the token's extra %s = %v, want the company 46 alone", when, extra.Reveal())
			}
		}
		wantCompany("after connecting")
		time.Sleep(2 * time.Hour)
		wantCompany("after a renewal")
		learnLogin(w, company("wide"))
		wantCompany("after another scope")
	})
}

// Who connects again may connect another company. Nothing of the one before is
// vended then, even where the first response has no usable access token.
func TestNewGrantKeepsNothingOfTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endpoint := &logins{}
		w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: endpoint}})
		learnLogin(w, company(""))
		alice := testworld.Account("api", "alice")
		connect := func(company string) error {
			return w.NewProcess().Connect(t.Context(), alice, attempt.Code{
				Code: redact.New("code"), Verifier: redact.New(testworld.CodeVerifier),
				RedirectURI: testworld.RedirectURI, Response: url.Values{"realmId": {company}},
			})
		}
		testworld.Must(t, connect("46"))
		endpoint.kind = "DPoP" // no token that can be vended
		if err := connect("99"); err == nil {
			t.Error("Connect() with a token of type DPoP = nil, want an error")
		}
		endpoint.kind = ""
		time.Sleep(20 * time.Minute)
		extra := w.Token(w.NewProcess(), alice).Token.Extra
		if sent := endpoint.sent("grant_type"); sent[len(sent)-1] != "refresh_token" {
			t.Errorf("the requests are %v, want a renewal at last", sent)
		}
		if extra["company"].Reveal() != "99" {
			t.Errorf("the token's extra = %v, want the company 99", extra.Reveal())
		}
	})
}

// A value that is missing, repeated or unprintable is no value.
func TestParametersOfTheAuthorizationResponseMalformedTwins(t *testing.T) {
	for name, response := range map[string]url.Values{
		"missing": nil, "twice": {"realmId": {"1", "2"}}, "empty": {"realmId": {""}},
		"a line end": {"realmId": {"1\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: &logins{}}})
				learnLogin(w, company(""))
				alice := testworld.Account("api", "alice")
				testworld.Must(t, w.NewProcess().Connect(t.Context(), alice, attempt.Code{
					Code: redact.New("code"), Verifier: redact.New(testworld.CodeVerifier),
					RedirectURI: testworld.RedirectURI, Response: response,
				}))
				if extra := w.Token(w.NewProcess(), alice).Token.Extra; len(extra) != 0 {
					t.Errorf("the token's extra = %v, want none", extra.Reveal())
				}
			})
		})
	}
}

// Operators learn which parameters to send, and callers get their values.
func TestServiceTakesTheAuthorizationResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: &logins{}}})
		learnLogin(w, company(""))
		service := w.NewService(w.NewProcess())
		ask := func(r api.Request) any {
			t.Helper()
			r.Credential, r.Account, r.RedirectURI = "api", "alice", testworld.RedirectURI
			reply, err := service.Answer(t.Context(), vend.Call{
				Caller: access.Caller{Via: access.Admin, Alias: "admin"}, Request: r,
			})
			testworld.Must(t, err)
			return reply
		}
		at, _ := ask(api.Request{Action: api.Authorize}).(api.Authorization)
		if at.PKCE != "plain" || at.CodeParameter != "auth_code" ||
			!slices.Equal(at.ResponseParameters, []string{"realmId"}) {
			t.Errorf("authorize = %+v, want plain, auth_code and realmId", at)
		}
		ask(api.Request{
			Action: api.Connect, Code: "code", CodeVerifier: testworld.CodeVerifier, Destination: at.Destination,
			AuthorizationResponse: "realmId=4%2B6&other=x",
		})
		vended, _ := ask(api.Request{Action: api.Vend}).(api.Token)
		if len(vended.Extra) != 1 || vended.Extra["company"] != "4+6" {
			t.Errorf("the token's extra = %v, want the company 4+6 alone", vended.Extra)
		}
	})
}
