package mint_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
)

func TestRevokeEndsTheTokenAtTheProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		old := mustToken(t, m, key("movemint"), mint.Want{}).Token
		revoked, _, err := m.Revoke(t.Context(), key("movemint"))
		if err != nil || !revoked || w.sim.Alive("movemint", old.Access.Reveal()) {
			t.Errorf("revoked %t, %v; the provider still takes it: %t", revoked, err, w.sim.Alive("movemint", old.Access.Reveal()))
		}
		if e := w.entry("movemint"); e.Sealed != nil || e.Fingerprint != "" || e.Generation != 1 {
			t.Errorf("kept: %+v", e)
		}
		if got := mustToken(t, m, key("movemint"), mint.Want{}).Token; got.Fingerprint == old.Fingerprint || got.Generation != 2 {
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
		for _, i := range []*mint.Mint{m, w.instance()} {
			if _, err := i.Token(t.Context(), key("movemint"), mint.Want{}); codeOf(err) != api.ProviderUnavailable {
				t.Errorf("vended while it is being revoked: %v", err)
			}
		}
		time.Sleep(time.Until(w.entry("movemint").NextAt))
		if became, _ := m.Renew(t.Context(), key("movemint")); became != mint.Failed || w.entry("movemint").State != store.Revoking {
			t.Errorf("while the provider is down: %s", became)
		}
		must(t, w.sim.SetFault("movemint", simulator.Fault{}))
		time.Sleep(time.Until(w.entry("movemint").NextAt))
		if became, err := m.Renew(t.Context(), key("movemint")); became != mint.Retired || w.sim.Alive("movemint", old.Access.Reveal()) {
			t.Errorf("afterwards: %s, %v; the provider still takes it: %t", became, err, w.sim.Alive("movemint", old.Access.Reveal()))
		}
		mustToken(t, m, key("movemint"), mint.Want{})
	})
}
