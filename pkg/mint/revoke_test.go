package mint_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
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
		m := w.NewProcess()
		old := w.Token(m, testworld.Key("movemint")).Token
		revoked, _, err := m.Revoke(t.Context(), testworld.Key("movemint"))
		if err != nil || !revoked || w.Providers.Accepts("movemint", old.Access.Reveal()) {
			t.Errorf(
				"Revoke() = %t, %v, accepted afterwards: %t; want true, nil, false",
				revoked,
				err,
				w.Providers.Accepts("movemint", old.Access.Reveal()),
			)
		}
		if e := w.Entry(testworld.Key("movemint")); e.Sealed == nil || e.Fingerprint != "" || e.Generation != 2 {
			t.Errorf("Entry(movemint) = %+v, want generation 2 without a token", e)
		}
		if got := w.Token(m, testworld.Key("movemint")).Token; got.Fingerprint == old.Fingerprint ||
			got.Generation != 3 {
			t.Errorf("Token() after Revoke() = %+v, want another, of generation 3", got)
		}
	})
}

func TestWhatAProviderCannotRevokeIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		old := w.Token(m, testworld.Key("minut")).Token
		if revoked, _, err := m.Revoke(t.Context(), testworld.Key("minut")); err != nil || revoked {
			t.Errorf("Revoke() = %t, %v, want false", revoked, err)
		}
		if got := w.Token(m, testworld.Key("minut")).Token; got.Fingerprint == old.Fingerprint {
			t.Errorf("Token() after Revoke() = %s, which was forgotten, want another", got.Fingerprint)
		}
		if revoked, _, err := m.Revoke(t.Context(), testworld.Key("trackmania")); err != nil || revoked {
			t.Errorf("Revoke() without an entry = %t, %v, want false", revoked, err)
		}
	})
}

func TestARevocationThatFailsIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		old := w.Token(m, testworld.Key("movemint")).Token
		testworld.Must(
			t,
			w.Providers.SetFault("movemint", simulator.Fault{Status: http.StatusServiceUnavailable, Only: "revoke"}),
		)
		if revoked, _, err := m.Revoke(t.Context(), testworld.Key("movemint")); err != nil || revoked {
			t.Errorf("Revoke() = %t, %v, want false", revoked, err)
		}
		if s, err := m.Status(t.Context(), testworld.Key("movemint")); err != nil || s.State != api.Revoking ||
			s.Failure.IsZero() {
			t.Errorf("Status() = %+v, %v, want %s and a failure", s, err, api.Revoking)
		}
		for _, i := range []*testworld.Process{m, w.NewProcess()} {
			w.Refused(i, testworld.Key("movemint"), mint.Want{}, api.ProviderUnavailable)
		}
		time.Sleep(time.Until(w.Entry(testworld.Key("movemint")).NextAt))
		if became, _ := m.Renew(t.Context(), testworld.Key("movemint")); became != rotate.Failed ||
			w.Entry(testworld.Key("movemint")).State != store.Revoking {
			t.Errorf("Renew() while the provider is down = %s, want %s", became, rotate.Failed)
		}
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{}))
		time.Sleep(time.Until(w.Entry(testworld.Key("movemint")).NextAt))
		if became, err := m.Renew(t.Context(), testworld.Key("movemint")); became != rotate.Retired ||
			w.Providers.Accepts("movemint", old.Access.Reveal()) {
			t.Errorf(
				"Renew() afterwards = %s, %v, accepted: %t; want retired, nil, false",
				became,
				err,
				w.Providers.Accepts("movemint", old.Access.Reveal()),
			)
		}
		w.Token(m, testworld.Key("movemint"))
	})
}

// A provider need not revoke tokens of both types (RFC 7009 §2.1).
func TestRefusedRevocationOfOneTokenLeavesTheOther(t *testing.T) {
	for _, refused := range []string{"good-refresh-1", "good-access-1"} {
		t.Run(refused, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				m := a.instance()
				k := a.connected(m, map[string]any{"revoke": map[string]any{"url": "https://good.test/revoke"}})
				var sent []string
				a.answers["good.test"] = func(_ *http.Request, form url.Values) (int, string) {
					sent = append(sent, form.Get("token"))
					if form.Get("token") == refused {
						return http.StatusBadRequest, `{"error":"unsupported_token_type"}`
					}
					return http.StatusOK, "{}"
				}
				revoked, _, err := m.Revoke(t.Context(), k)
				want := []string{"good-refresh-1", "good-access-1"}
				if err != nil || revoked || !slices.Equal(sent, want) {
					t.Errorf("Revoke() = %t, %v, and sends %q, want false, and that both are sent", revoked, err, sent)
				}
			})
		})
	}
}

// A secret that names another token endpoint sees nothing that the one before
// has issued: not by a refresh, a revocation or a verification.
func TestNothingIsShownToAnotherTokenEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		alice := testworld.Account("movemint", "alice")
		testworld.Must(t, m.Connect(t.Context(), alice, w.Code("movemint", "alice")))
		w.Token(m, testworld.Key("movemint"))
		w.Put("movemint", "movemint", map[string]any{"token_url": w.Providers.TokenURL("trackmania")})
		_, _, err := m.Discover(t.Context())
		testworld.Must(t, err)
		w.Providers.Reset()
		for _, k := range []token.Key{alice, testworld.Key("movemint")} {
			if said, err := m.Verify(t.Context(), k); err != nil || said != nil {
				t.Errorf("Verify(%s) = %+v, %v, want nil", k, said, err)
			}
			if revoked, _, err := m.Revoke(t.Context(), k); err != nil || revoked {
				t.Errorf("Revoke(%s) = %t, %v, want false", k, revoked, err)
			}
		}
		w.Refused(m, alice, mint.Want{}, api.ReauthorizationRequired)
		if seen := w.Providers.Stats().Providers["trackmania"]; seen.OtherRequests+seen.RefreshRequests != 0 {
			t.Errorf(
				"the other endpoint was sent %d refreshes and %d other requests, want 0 and 0",
				seen.RefreshRequests,
				seen.OtherRequests,
			)
		}
	})
}
