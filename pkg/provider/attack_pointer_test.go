package provider

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// No pointer of a descriptor has a token of the answer shown: not as the scope,
// which is stored and given to callers as it is, and not in an error.
func TestAttack20_NoPointerShowsAToken(t *testing.T) {
	const answered = `{"token_type":"Bearer","access_token":"at-secret-123","refresh_token":"rt-secret-456",` +
		`"data":{"idToken":"it-secret-789"},"wrapped":"eyJyIjoicnQtc2VjcmV0LTQ1NiJ9"}`
	for name, response := range map[string]string{
		"the access token as the scope":       `{"scope":"/access_token"}`,
		"the refresh token as the scope":      `{"scope":"/refresh_token"}`,
		"it as the scope, another is named":   `{"scope":"/refresh_token","refresh_token":"/none"}`,
		"in base64, as the scope":             `{"scope":"/wrapped"}`,
		"the access token as an error":        `{"access_token":"/none","error":"/access_token"}`,
		"the refresh token as an error":       `{"access_token":"/none","refresh_token":"/none","error":"/refresh_token"}`,
		"the access token as an error's text": `{"access_token":"/none","error":"/token_type","error_description":"/access_token"}`,
		"the refresh token as that":           `{"access_token":"/none","refresh_token":"/none","error":"/token_type","error_description":"/refresh_token"}`,
		"an ID token as that":                 `{"access_token":"/none","error":"/token_type","error_description":"/data/idToken"}`,
	} {
		for _, status := range []int{200, 400} {
			t.Run(name, func(t *testing.T) {
				text := `{"token":{"url":"https://login.test/token"},"refresh":{},"response":` + response + `}`
				answer, e := exchangeBy(t, text, alice, creds, says(status, answered))
				shown := answer.Scope + answer.Type + strings.Join(answer.Warnings, "")
				if e != nil {
					shown += e.Error() + e.Code + e.Description
				}
				for _, secret := range []string{"at-secret", "rt-secret", "it-secret", "eyJyIjoicnQ"} {
					if strings.Contains(shown, secret) {
						t.Errorf("Exchange answered with %d by %s shows %q: %q, want not secret in shown", status,
							response, secret, shown)
					}
				}
			})
		}
	}
}

// A scope is stored, shown and given to callers as it is: one that repeats a
// secret of the client counts as not named.
func TestAttack20_ScopeRepeatsNoSecret(t *testing.T) {
	const key, named = "cs-secret-0123456789", "ns-secret-0123456789"
	text := `{"token":{"url":"https://login.test/token","auth":"post","params":{"k":"{secrets.k}"}}}`
	c := Client{ID: "id", Secret: redact.New(key), Secrets: map[string]redact.String{"k": redact.New(named)}}
	for scope, want := range map[string]string{
		"read " + key:     "",
		"read,k=" + named: "",
		base64.StdEncoding.EncodeToString([]byte("id:" + key)): "",
		"read cs-secret": "read cs-secret",
		"id":             "id",
	} {
		answer, e := exchangeBy(t, text, c, creds, says(200, `{"access_token":"at-1","scope":"`+scope+`"}`))
		if e != nil || answer.Access.IsZero() || answer.Scope != want || (want == "") != (len(answer.Warnings) == 1) {
			t.Errorf("Exchange answered with the scope %q = scope %q, warnings %q, %v; want %q, and a warning of what is left out",
				scope, answer.Scope, answer.Warnings, e, want)
		}
	}
}

// A refresh token is not vended in an encoding either.
func TestAttack02_EncodedRefreshTokenIsNeverTheAccessToken(t *testing.T) {
	const refresh = "1//r-secret+of/a.grant"
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"a","rt":"1\/\/r-secret+of\/a.grant"}`))
	for name, access := range map[string]string{
		"in base64":          base64.StdEncoding.EncodeToString([]byte(refresh)),
		"in base64, for URL": base64.RawURLEncoding.EncodeToString([]byte("a" + refresh)),
		"in a claim":         "e30." + claims + ".c2ln",
		"behind a prefix":    "v2:" + base64.StdEncoding.EncodeToString([]byte("session|"+refresh)),
		"in base64, twice":   base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(refresh)))),
		"in hexadecimal":     hex.EncodeToString([]byte(refresh)),
		"percent-encoded":    url.QueryEscape(refresh),
	} {
		t.Run(name, func(t *testing.T) {
			text := `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{"access_token":"/session"}}`
			answer, e := exchangeBy(
				t,
				text,
				alice,
				creds,
				says(200, `{"session":"`+access+`","refresh_token":"`+refresh+`"}`),
			)
			if e == nil || e.Kind != Malformed || !answer.Access.IsZero() {
				t.Errorf(
					"Exchange answered with %s = %v, access token taken: %t; want %v and none",
					access,
					e,
					!answer.Access.IsZero(),
					Malformed,
				)
			}
		})
	}
}

// A descriptor whose renamed or further parameters take the place of others is
// refused: a revocation of another token than the one that was meant, a person
// who is sent back elsewhere, a request object in the place of the whole
// request.
func TestAttack02_NoParameterTakesAnothersPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"another token is revoked": {
			`{"revoke":{"url":"/revoke","params":{"token":"nothing"}}}`,
			"revoke.params.token: is a standard parameter"},
		"a parameter of the client's authentication": {
			`{"revoke":{"url":"/revoke","params":{"client_id":"other"}}}`,
			"revoke.params.client_id: is a standard parameter"},
		"the client's id is revoked": {
			`{"token":{"fields":{"client_id":"token"}},"revoke":{"url":"/revoke"}}`, "token.fields.client_id: "},
		"a person is sent back to the audience": {
			`{"token":{"fields":{"audience":"redirect_uri"}},"authorize":{"url":"/authorize"}}`,
			"token.fields.audience: "},
		"the same, and none is sent with the code": {
			`{"token":{"fields":{"audience":"redirect_uri","redirect_uri":""}},"authorize":{"url":"/authorize"}}`,
			"token.fields.audience: "},
		"the audience says what is asked for": {
			`{"token":{"fields":{"audience":"response_type"}},"authorize":{"url":"/authorize"}}`,
			"token.fields.audience: "},
		"two parameters of one name": {
			`{"token":{"fields":{"client_secret":"key","scope":"key"}}}`, "token.fields.client_secret: "},
		"two when a token is refreshed": {
			`{"token":{"fields":{"scope":"key"}},"refresh":{"fields":{"refresh_token":"key"}}}`,
			"refresh.fields.refresh_token: "},
		"a request object of somebody else": {
			`{"authorize":{"url":"/authorize","params":{"request_uri":"https://evil.test/"}}}`,
			"authorize.params.request_uri: "},
		"a request object": {
			`{"authorize":{"url":"/authorize","params":{"request":"e30.e30."}}}`, "authorize.params.request: "},
		"an own redirect URI": {
			`{"authorize":{"url":"/authorize","params":{"redirect_uri":"https://evil.test/"}}}`,
			"authorize.params.redirect_uri: "},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parser.Parse([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Parse(%s) = %v, want %q", c.text, err, c.want)
			}
		})
	}
	for _, text := range []string{
		`{"token":{"fields":{"client_assertion":"client_secret","client_secret":""}}}`,
		`{"token":{"fields":{"audience":"resource"}},"revoke":{"url":"/revoke","params":{"token_type_hint":"refresh_token"}}}`,
		`{"refresh":{"fields":{"client_id":"","refresh_token":"refreshToken"}}}`,
		`{"authorize":{"url":"/authorize","params":{"prompt":"consent","response_mode":"query"}}}`,
	} {
		if _, err := parser.Parse([]byte(text)); err != nil {
			t.Errorf("Parse(%s) = %v, want none", text, err)
		}
	}
}
