package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// A refresh token is not sent after its own end. The access token is vended
// until it is over, operators are notified once, and callers learn of it then.
func TestGrantEndsWithItsRefreshToken(t *testing.T) {
	const life, refreshLife = 2 * time.Hour, 30 * time.Minute
	for name, at := range map[string]time.Duration{"living": refreshLife + time.Minute, "over": life + time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: life, RefreshLifetime: refreshLife})
				w.Put("monta", "monta", map[string]any{"grant": "refresh_token", "refresh_token": w.montaSeed()})
				m := w.NewProcess()
				first := w.Token(m, testworld.Key("monta")).Token
				w.Providers.Reset()
				time.Sleep(at)
				if became, err := m.Renew(t.Context(), testworld.Key("monta")); became != rotate.Failed ||
					!testworld.HasCode(err, api.ReauthorizationRequired) {
					t.Errorf("Renew() = %s, %v; want failed, reauthorize", became, err)
				}
				if first.Left(time.Now()) > 0 && w.Token(w.NewProcess(), testworld.Key("monta")).Token.Generation != 1 {
					t.Error("Token() = another token, want the living one")
				}
				time.Sleep(time.Until(first.ExpiresAt))
				w.Refused(w.NewProcess(), testworld.Key("monta"), mint.Want{}, api.ReauthorizationRequired)
				e, n := w.Entry(testworld.Key("monta")), w.Providers.Stats().Providers["monta"].RefreshRequests
				if e.State != store.Reauthorize || n != 0 || w.Alarms("CredentialsFailing") != 1 {
					t.Errorf("entry = state %q after %d requests and %d alarms; want reauthorize, none, 1",
						e.State, n, w.Alarms("CredentialsFailing"))
				}
			})
		})
	}
}
