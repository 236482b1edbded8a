package provider

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const withSession = `{
	"token":{"url":"https://login.test/token","auth":"none","body":"json"},
	"refresh":{},
	"authorize":{"url":"/authorize"},
	"then":{"url":"/session","headers":{"X-Token":"{access_token}"},"body":"query","params":{"key":"{secrets.key}"},
		"access_token":"/session","expiry":{"at":"/minutes","kind":"minutes"},"extra":{"url":"/url"}}
}`

// The request that follows is sent after each token request, and callers get
// its token.
func TestThenFollowsEachTokenRequest(t *testing.T) {
	const tokens = `{"access_token":"T-1","refresh_token":"R-2","expires_in":600}`
	for name, req := range map[string]TokenRequest{
		"directly":  {Grant: descriptor.ClientCredentials},
		"a refresh": {Grant: descriptor.RefreshToken, Refresh: redact.New("R-1")},
		"a code": {
			Grant: descriptor.AuthorizationCode, Code: redact.New("C"), RedirectURI: "https://app.test/cb",
		},
	} {
		t.Run(name, func(t *testing.T) {
			last := ""
			v := serve(t, func(w http.ResponseWriter, r *http.Request) {
				last = r.Method + " " + r.URL.String() + " " + r.Header.Get("X-Token")
				says(200, map[bool]string{
					true: tokens, false: `{"session":"S-1","minutes":20,"url":"https://eu.test"}`,
				}[r.URL.Path == "/token"])(w, r)
			})
			client := Client{ID: "id", Secrets: secrets("key", "K")}
			got, err := at(parse(t, withSession), client, v.hc).Exchange(t.Context(), req)
			if err != nil {
				t.Fatalf("Exchange() failed: %v", err)
			}
			if want := "POST /session?key=K T-1"; last != want || v.requests.Load() != 2 {
				t.Errorf("Exchange() sent %q last of %d requests, want %q of 2", last, v.requests.Load(), want)
			}
			extra := got.Extra.Reveal()["url"]
			if got.Access.Reveal() != "S-1" || got.Expiry.In.Minutes() != 20 || extra != "https://eu.test" ||
				got.Refresh.Reveal() != "R-2" {
				t.Errorf("Exchange() = %q for %v with %q and %q, want the session, the URL and the refresh token",
					got.Access.Reveal(), got.Expiry.In, extra, got.Refresh.Reveal())
			}
		})
	}
}

// After an error there is no token. The new refresh token is kept, and nothing
// is concluded about it.
func TestThenThatFails(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		kind         Kind
	}{
		{"a refusal", `{"error":"invalid_grant","error_description":"no T-SECRET-1 R-SECRET-2"}`, 400, Rejected},
		{"a refusal of the client", `{"error":"invalid_client"}`, 401, Rejected},
		{"an outage", ``, 503, Unavailable},
		{"no token", `{"url":"https://eu.test"}`, 200, Malformed},
		{"no JSON", `<p>T-SECRET-1`, 200, Malformed},
		{"a token with a line end", `{"session":"a\r\nX: y"}`, 200, Malformed},
		{"the refresh token as the session", `{"session":"R-SECRET-2"}`, 200, Malformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/token" {
					says(200, `{"access_token":"T-SECRET-1","refresh_token":"R-SECRET-2"}`)(w, r)
					return
				}
				says(c.status, c.answer)(w, r)
			})
			client := Client{ID: "id", Secrets: secrets("key", "K-SECRET-3")}
			got, err := at(parse(t, withSession), client, v.hc).Exchange(t.Context(),
				TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("R-1")})
			e := must(t, asError(t, err), c.kind)
			if strings.Contains(e.Error(), "SECRET") || e.RefusesGrant() {
				t.Errorf("Exchange() = %v, refuses the grant: %t, want no secret and no refusal", e, e.RefusesGrant())
			}
			if !e.Redeemed || e.Client || e.Permanent {
				t.Errorf("Exchange() = %v, redeemed %t, client %t, permanent %t, want true, false, false",
					e, e.Redeemed, e.Client, e.Permanent)
			}
			if !got.Access.IsZero() || got.Refresh.Reveal() != "R-SECRET-2" || v.requests.Load() != 2 {
				t.Errorf("Exchange() = %q and %q after %d requests, want only the refresh token after 2",
					got.Access.Reveal(), got.Refresh.Reveal(), v.requests.Load())
			}
		})
	}
}

// A status 200 with an error and none of the values that are wanted is a
// refusal.
func TestThenThatAnswersAnErrorWithSuccess(t *testing.T) {
	const text = `{"token":{"url":"https://login.test/token"},
		"then":{"url":"/session","headers":{"X-Token":"{access_token}"},"extra":{"url":"/url"}}}`
	for _, c := range []struct {
		name, answer string
		refused      bool
	}{
		{"an error alone", `{"error":"no_session"}`, true},
		{"an error beside an empty value", `{"error":"no_session","url":""}`, true},
		{"an error beside a value", `{"error":"no_session","url":"https://eu.test"}`, false},
		{"neither", `{}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := serve(t, func(w http.ResponseWriter, r *http.Request) {
				answer := map[bool]string{true: `{"access_token":"T-1"}`, false: c.answer}
				says(200, answer[r.URL.Path == "/token"])(w, r)
			})
			_, err := at(parse(t, text), alice, v.hc).Exchange(t.Context(),
				TokenRequest{Grant: descriptor.ClientCredentials})
			e := asError(t, err)
			if refused := e != nil && e.Kind == Rejected && e.Code == "no_session"; refused != c.refused {
				t.Errorf("Exchange() = %v after %s, want a refusal: %t", err, c.answer, c.refused)
			}
		})
	}
}

// An error of a request shows nothing that an earlier request of the same
// exchange sent.
func TestErrorsMaskWhatEarlierRequestsSent(t *testing.T) {
	const then = `{"token":{"url":"https://login.test/token","auth":"post","params":{"k":"{secrets.key}"}},
		"refresh":{},"authorize":{"url":"/authorize"},
		"then":{"url":"/session","headers":{"X-Token":"{access_token}"},"extra":{"url":"/url"}}}`
	client := Client{ID: "id", Secret: redact.New("SECRET-client"), Secrets: secrets("key", "SECRET-named")}
	for _, c := range []struct {
		name, text, last string
		req              TokenRequest
	}{
		{"a code", then, "/session", TokenRequest{
			Grant: descriptor.AuthorizationCode, Code: redact.New("SECRET-code"), RedirectURI: "https://app.test/cb",
		}},
		{"a refresh token", then, "/session", TokenRequest{
			Grant: descriptor.RefreshToken, Refresh: redact.New("SECRET-refresh"),
		}},
		{"a later step", twoSteps, "/open/17", TokenRequest{Grant: descriptor.Login}},
		{"a token request after steps", twoSteps, "/token", TokenRequest{Grant: descriptor.Login}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == c.last {
					says(403, `{"error":"access_denied","error_description":"CODE SECRET-code, SECRET-client, `+
						`SECRET-named, SECRET-refresh, SECRET-session, SECRET-access"}`)(w, r)
					return
				}
				says(200, `{"data":{"id":17},"session":"SECRET-session","access_token":"SECRET-access"}`,
					"X-Ticket", "SECRET-ticket")(w, r)
			})
			_, err := at(parse(t, c.text), client, v.hc).Exchange(t.Context(), c.req)
			e := must(t, asError(t, err), Rejected)
			var sent []string
			if c.text == then {
				sent = []string{"SECRET-client", "SECRET-access", c.req.Code.Reveal(), c.req.Refresh.Reveal()}
			}
			for _, secret := range append(sent, "SECRET-named") {
				if secret != "" && strings.Contains(e.Error(), secret) {
					t.Errorf("Exchange() = %v, want %s masked", e, secret)
				}
			}
			if !strings.Contains(e.Error(), "CODE") {
				t.Errorf("Exchange() = %v, want the description", e)
			}
		})
	}
}
