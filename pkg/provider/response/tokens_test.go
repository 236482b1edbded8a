package response

import (
	"strings"
	"testing"
)

// Whatever the pointers of a descriptor say, no refresh token is taken for an
// access token: no copy of it, and no text that it is a part of.
func TestAttack02_RefreshTokenIsNeverTheAccessToken(t *testing.T) {
	for name, c := range map[string]struct{ pointer, body string }{
		"by its own name":        {"/refresh_token", `{"access_token":"a","refresh_token":"r-secret"}`},
		"in another case":        {"/data/refreshToken", `{"data":{"accessToken":"a","refreshToken":"r-secret"}}`},
		"an escaped name":        {"/refresh_token", `{"access_token":"a","\u0072efresh\u005ftoken":"r-secret"}`},
		"a copy":                 {"/copy", `{"copy":"r-secret","refresh_token":"r-secret"}`},
		"a copy before it":       {"/token", `{"token":"r-secret","oauth":{"Refresh-Token":"r-secret"}}`},
		"a text that holds it":   {"/all", `{"all":"a|r-secret","refresh_token":"r-secret"}`},
		"a document in a string": {"/all", `{"all":"{\"access_token\":\"a\",\"refresh_token\":\"r-secret\"}"}`},
		"the one that was sent":  {"/access_token", `{"access_token":"old-refresh"}`},
		"in an array":            {"/tokens/1", `{"tokens":["a","r-secret"],"refresh_token":"r-secret"}`},
	} {
		t.Run(name, func(t *testing.T) {
			text := `{"token":{"url":"https://login.test/token"},"refresh":{},"response":{"access_token":"` +
				c.pointer + `","refresh_token":"/nothing"}}`
			body := strings.ReplaceAll(c.body, "old-refresh", again.Refresh.Reveal())
			answer, e := exchangeBy(t, text, again, says(200, body))
			if e == nil || e.Kind != Malformed || !answer.Access.IsZero() {
				t.Errorf("Exchange answered with %s = %v, access token taken: %t; want %v and none", c.body, e,
					!answer.Access.IsZero(), Malformed)
			}
		})
	}
}

func TestAccessTokenBesideARefreshTokenIsTaken(t *testing.T) {
	for _, body := range []string{
		`{"access_token":"a.refreshed.token","refresh_token":"r"}`,
		`{"access_token":"refresh","refresh_token":"refreshing"}`,
		`{"access_token":"abc","refresh_token":""}`,
		`{"access_token":"abc","refresh_token":null,"refresh_token_expires_in":7}`,
	} {
		if answer, e := exchange(t, creds, says(200, body)); e != nil || answer.Access.IsZero() {
			t.Errorf("Exchange answered with %s: %v, want the token", body, e)
		}
	}
}
