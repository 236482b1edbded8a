package mint_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestRevokeEndsTheTokenAtTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		old := mustToken(t, m, key("movemint"), mint.Want{}).Token
		revoked, _, err := m.Revoke(t.Context(), key("movemint"))
		if err != nil || !revoked || w.sim.Accepts("movemint", old.Access.Reveal()) {
			t.Errorf("revoked %t, %v; the provider still takes it: %t", revoked, err, w.sim.Accepts("movemint", old.Access.Reveal()))
		}
		if e := w.entry("movemint"); e.Sealed == nil || e.Fingerprint != "" || e.Generation != 2 {
			t.Errorf("kept: %+v", e)
		}
		if got := mustToken(t, m, key("movemint"), mint.Want{}).Token; got.Fingerprint == old.Fingerprint || got.Generation != 3 {
			t.Errorf("afterwards: %+v", got)
		}
	})
}

func TestWhatAProviderCannotRevokeIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		old := mustToken(t, m, key("minut"), mint.Want{}).Token
		if revoked, _, err := m.Revoke(t.Context(), key("minut")); err != nil || revoked {
			t.Errorf("revoked %t, %v", revoked, err)
		}
		if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Fingerprint == old.Fingerprint {
			t.Error("what was forgotten is vended")
		}
		if revoked, _, err := m.Revoke(t.Context(), key("trackmania")); err != nil || revoked {
			t.Errorf("an entry that never was: revoked %t, %v", revoked, err)
		}
	})
}

func TestARevocationThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		old := mustToken(t, m, key("movemint"), mint.Want{}).Token
		must(t, w.sim.SetFault("movemint", simulator.Fault{Status: http.StatusServiceUnavailable, Only: "revoke"}))
		if revoked, _, err := m.Revoke(t.Context(), key("movemint")); err != nil || revoked {
			t.Errorf("revoked %t, %v", revoked, err)
		}
		if s, err := m.Status(t.Context(), key("movemint")); err != nil || s.State != api.Revoking || s.Failure.IsZero() {
			t.Errorf("status: %+v, %v", s, err)
		}
		for _, i := range []*process{m, w.instance()} {
			if _, err := i.Token(t.Context(), key("movemint"), mint.Want{}); codeOf(err) != api.ProviderUnavailable {
				t.Errorf("vended while it is being revoked: %v", err)
			}
		}
		time.Sleep(time.Until(w.entry("movemint").NextAt))
		if became, _ := m.Renew(t.Context(), key("movemint")); became != rotate.Failed || w.entry("movemint").State != store.Revoking {
			t.Errorf("while the provider is down: %s", became)
		}
		must(t, w.sim.SetFault("movemint", simulator.Fault{}))
		time.Sleep(time.Until(w.entry("movemint").NextAt))
		if became, err := m.Renew(t.Context(), key("movemint")); became != rotate.Retired || w.sim.Accepts("movemint", old.Access.Reveal()) {
			t.Errorf("afterwards: %s, %v; the provider still takes it: %t", became, err, w.sim.Accepts("movemint", old.Access.Reveal()))
		}
		mustToken(t, m, key("movemint"), mint.Want{})
	})
}

// A secret that names another token endpoint does not get to see what the one before has given: not by a refresh, a revocation or a verification.
func TestNothingIsShownToAnotherTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		alice := account("movemint", "alice")
		must(t, m.Connect(t.Context(), alice, w.code("movemint", "alice")))
		mustToken(t, m, key("movemint"), mint.Want{})
		w.put("movemint", map[string]any{"token_url": w.sim.TokenURL("trackmania")})
		_, _, err := m.Discover(t.Context())
		must(t, err)
		w.sim.Reset()
		for _, k := range []token.Key{alice, key("movemint")} {
			if said, err := m.Verify(t.Context(), k); err != nil || said != nil {
				t.Errorf("%s: verified: %+v, %v", k, said, err)
			}
			if revoked, _, err := m.Revoke(t.Context(), k); err != nil || revoked {
				t.Errorf("%s: revoked %t, %v", k, revoked, err)
			}
		}
		if _, err := m.Token(t.Context(), alice, mint.Want{}); codeOf(err) != api.ReauthorizationRequired {
			t.Errorf("%v", err)
		}
		if seen := w.sim.Stats().Providers["trackmania"]; seen.OtherRequests+seen.RefreshRequests != 0 {
			t.Errorf("the other endpoint was sent %d refreshes and %d other requests", seen.RefreshRequests, seen.OtherRequests)
		}
	})
}
