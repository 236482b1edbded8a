package mint_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// withoutRefresh is what vendors return for a code when they give no refresh
// token, and what the user or the operator has to ask for.
var withoutRefresh = map[string]struct {
	answer map[string]string
	before bool // the account was connected before, with a refresh token
	advice string
}{
	// activepieces/activepieces#14681: without duration=permanent, Reddit
	// issues a token of an hour and nothing else.
	"Reddit": {
		answer: map[string]string{"refresh_token": simulator.Omit, "token_type": `"bearer"`, "scope": `"read"`},
		advice: "a parameter such as access_type=offline",
	},
	// "Using OAuth 2.0 with offline access" (Dropbox): with online access, the
	// app has no refresh token.
	"Dropbox": {
		answer: map[string]string{"refresh_token": simulator.Omit, "uid": `"1"`, "account_id": `"dbid:1"`},
		advice: "a parameter such as access_type=offline",
	},
	// googleapis/google-api-php-client#2591: only the first consent brings one.
	"Google": {
		answer: map[string]string{"refresh_token": simulator.Omit}, before: true, advice: "prompt=consent",
	},
	// "Using refresh tokens to generate new access tokens" (RingCentral): by
	// default the app's settings issue none.
	"RingCentral": {
		answer: map[string]string{"refresh_token": simulator.Omit, "owner_id": `"1"`}, advice: "a setting of the app",
	},
	// "Access and Refresh Tokens" (Coinbase): if offline_access was requested.
	"Coinbase": {answer: map[string]string{"refresh_token": `""`}, advice: "offline_access"},
}

func TestCaseC28_EveryVendorsMissingRefreshTokenIsToldAtOnce(t *testing.T) {
	for name, c := range withoutRefresh {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				m, alice := w.NewProcess(), testworld.Account("trackmania", "alice")
				connect := func(answer map[string]string) {
					testworld.Must(t, w.Providers.SetFault("trackmania", simulator.Fault{Set: answer}))
					testworld.Must(t, m.Connect(t.Context(), alice, w.Code("trackmania", "alice")))
				}
				if c.before {
					connect(nil)
				}
				connect(c.answer)
				s, err := m.Status(t.Context(), alice)
				if err != nil || !strings.Contains(s.Warning, c.advice) ||
					!s.Entry.RefreshUntil.Equal(s.Entry.ExpiresAt) {
					t.Errorf("Status() = warning %q, grant until %v, %v; want %q, until the token's end %v",
						s.Warning, s.Entry.RefreshUntil, err, c.advice, s.Entry.ExpiresAt)
				}
				if !strings.Contains(w.Log.String(), "gave no refresh token") {
					t.Errorf("log = %s, want that no refresh token came", w.Log.String())
				}
				w.Token(w.NewProcess(), alice)
				time.Sleep(2 * time.Hour)
				_, err = w.NewProcess().Token(t.Context(), alice, mint.Want{})
				if !testworld.HasCode(err, api.ReauthorizationRequired) || !strings.Contains(err.Error(), c.advice) {
					t.Errorf("Token() = %v, want that the grant ended with its token, and %q", err, c.advice)
				}
			})
		})
	}
}
