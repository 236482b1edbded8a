package mint_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

// vendor is good.test with an API at /me, which may refuse an access token
// before its end.
type vendor struct {
	*attacked
	refusal refusal
	revokes string          // what revokes the token before: "refresh", or "use" of the new one; "": nothing
	issued  []string        // access tokens, in turn
	revoked map[string]bool // those that /me refuses
}

// refusal is how an API refuses a token, and what its descriptor says of that.
type refusal struct {
	status  int
	body    string
	refused []int
}

func newVendor(t *testing.T, r refusal, revokes string) *vendor {
	v := &vendor{attacked: newAttacked(t), refusal: r, revokes: revokes, revoked: map[string]bool{}}
	honest := v.answers["good.test"]
	v.answers["good.test"] = func(r *http.Request, form url.Values) (int, string) {
		if r.URL.Path == "/me" {
			return v.me(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		}
		status, body := honest(r, form)
		var token struct {
			Access string `json:"access_token"`
		}
		if json.Unmarshal([]byte(body), &token) == nil && token.Access != "" {
			v.issue(token.Access)
		}
		return status, body
	}
	return v
}

func (v *vendor) issue(token string) {
	if n := len(v.issued); n > 0 && v.revokes == "refresh" {
		v.revoked[v.issued[n-1]] = true
	}
	v.issued = append(v.issued, token)
}

func (v *vendor) me(token string) (int, string) {
	if n := len(v.issued); n > 1 && v.revokes == "use" && token == v.issued[n-1] {
		v.revoked[v.issued[n-2]] = true
	}
	if v.revoked[token] {
		return v.refusal.status, v.refusal.body
	}
	return http.StatusOK, "{}"
}

// descriptor returns the fields of a descriptor that say how the API is asked.
func (v *vendor) descriptor() map[string]any {
	verify := map[string]any{"url": "https://good.test/me"}
	if v.refusal.refused != nil {
		verify["refused"] = v.refusal.refused
	}
	return map[string]any{"verify": verify}
}

// refusals are how vendors refuse an access token that is not over.
var refusals = map[string]refusal{
	// "Access token has been revoked" of League's oauth2-server.
	"League": {401, `{"error":"access_denied","hint":"Access token has been revoked"}`, nil},
	// "Using refresh tokens to generate new access tokens" (RingCentral): the
	// token before is invalid at once, and answered with 401.
	"RingCentral": {401, `{"message":"Token not found"}`, nil},
	// "Refreshing user access tokens" (GitHub): once a refresh token is used,
	// the old access token no longer works.
	"GitHub": {401, `{"message":"Bad credentials"}`, nil},
	// "Token Validity" (Zoho): the 16th token of an hour invalidates the first.
	"Zoho": {401, `{"code":"INVALID_OAUTHTOKEN","status":"error"}`, nil},
	// "40141: Token revoked" (Ably).
	"Ably": {401, `{"error":{"code":40141,"statusCode":401,"message":"Token revoked"}}`, nil},
	// FusionAuth/fusionauth-issues#321: an invalid token was a 400.
	"FusionAuth": {400, `{"error":"invalid_token"}`, nil},
	// zitadel/oidc, pkg/op/userinfo.go.
	"zitadel": {403, `{}`, []int{403}},
}

// Two replaced tokens in a row that the provider refuses teach that a new token
// revokes the one before, however it says so, and whether the issue of the new
// one revokes it or its first use.
func TestCaseC29_OverlapIsLearnedFromEveryVendorsRefusal(t *testing.T) {
	for name, refusal := range refusals {
		for _, revokes := range []string{"refresh", "use", ""} {
			t.Run(name+"/"+revokes, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { learnsOverlap(t, newVendor(t, refusal, revokes)) })
			})
		}
	}
}

func learnsOverlap(t *testing.T, v *vendor) {
	m := v.instance()
	k := v.connected(m, v.descriptor())
	for range 4 {
		time.Sleep(time.Until(v.Entry(k).NextAt))
		if became, err := m.Renew(t.Context(), k); became != rotate.Renewed {
			t.Fatalf("Renew() = %s, %v, want it renewed", became, err)
		}
		time.Sleep(time.Second)
		_, _, err := m.Canary(t.Context(), 15*time.Minute)
		testworld.Must(t, err)
	}
	e, want := v.Entry(k), v.revokes != ""
	if sooner := e.CacheUntil.Before(e.RenewAt); sooner != want {
		t.Errorf("CacheUntil = %v before RenewAt, want sooner: %t", e.RenewAt.Sub(e.CacheUntil), want)
	}
	if n := strings.Count(v.Log.String(), "msg=overlap"); n != map[bool]int{true: 1}[want] {
		t.Errorf("the overlap was logged %d times, want it learned: %t", n, want)
	}
}

// A token that the provider refuses before its end is replaced by the canary,
// once, however the provider refuses it.
func TestCaseC38_CanaryReplacesWhatEveryVendorRefuses(t *testing.T) {
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVendor(t, refusal, "")
				v.secrets.put("x", at("good.test", "good-secret", v.descriptor()))
				m := v.instance()
				dead := v.Token(m, testworld.Key("x")).Token
				time.Sleep(5 * time.Minute)
				v.revoked[dead.Access.Reveal()] = true
				for range 3 {
					time.Sleep(time.Second)
					_, _, err := m.Canary(t.Context(), time.Second)
					testworld.Must(t, err)
				}
				got := v.Token(v.instance(), testworld.Key("x")).Token
				if got.Fingerprint == dead.Fingerprint || len(v.issued) != 2 || v.Alarms("TokensRefused") != 1 {
					t.Errorf("Token() = the same token: %t, of %d, after %d alarms; want another one, 2 and 1",
						got.Fingerprint == dead.Fingerprint, len(v.issued), v.Alarms("TokensRefused"))
				}
			})
		})
	}
}

// A scope that a token lacks is no reason to replace it: another one would lack
// it too.
func TestCanaryKeepsATokenThatLacksAScope(t *testing.T) {
	for name, refusal := range map[string]refusal{
		"the RFC":   {403, `{"error":"insufficient_scope"}`, nil},
		"a list":    {403, `{"error":"insufficient_scope"}`, []int{403}},
		"a gateway": {403, `{"message":"Forbidden"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newVendor(t, refusal, "")
				v.secrets.put("x", at("good.test", "good-secret", v.descriptor()))
				m := v.instance()
				first := v.Token(m, testworld.Key("x")).Token
				v.revoked[first.Access.Reveal()] = true
				for range 10 {
					time.Sleep(4 * time.Minute)
					_, _, err := m.Canary(t.Context(), time.Second)
					testworld.Must(t, err)
				}
				got := v.TokenThat(m, testworld.Key("x"), mint.Want{}).Token
				if got.Fingerprint != first.Fingerprint || len(v.issued) != 1 {
					t.Errorf("Token() = another token: %t, of %d; want the same, the only one",
						got.Fingerprint != first.Fingerprint, len(v.issued))
				}
			})
		})
	}
}
