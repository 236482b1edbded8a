package mint_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Whatever answers in the place of a provider, and however long: it ends no
// grant, and callers are served within 30 seconds of its end.
func TestFault14_NoIntermediaryEndsAGrant(t *testing.T) {
	names := slices.Sorted(maps.Keys(intermediaries))
	for _, name := range names[:testworld.Count(len(names), 4)] {
		for at, begins := range beginnings {
			t.Run(name+"/at "+at, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { outlivesAnswer(t, intermediaries[name], begins) })
			})
		}
	}
}

func outlivesAnswer(t *testing.T, a answer, begins time.Duration) {
	w := newIntercepted(t, "unknown")
	w.first = w.Token(w.instances[0], testworld.Key(w.name)).Token
	time.Sleep(begins)
	w.during(a, 50*time.Minute)
	w.recovers()
}

// intercepted is a world with a grant, two instances and what stands between
// them and the provider.
type intercepted struct {
	*world
	name      string
	in        answer // nil: nothing stands there
	instances []*testworld.Process
	first     token.Token
}

func newIntercepted(t *testing.T, reuse string) *intercepted {
	const name = "trackmania"
	w := &intercepted{
		world: newWorld(t, simulator.Options{Reuse: map[string]simulator.Reuse{name: simulator.RevokesFamily}}),
		name:  name,
	}
	w.granted(name, temper(w.Providers, reuse))
	for range 2 {
		m := w.NewProcess(func(c *mint.Config) {
			c.HTTP, c.Journal = &http.Client{Transport: intermediary{w.Providers, &w.in}}, journal.Journal{}
		})
		t.Cleanup(m.Wait)
		w.instances = append(w.instances, m)
	}
	return w
}

// during has both instances asked for a token while something answers in the
// provider's place.
func (w *intercepted) during(a answer, lasts time.Duration) {
	w.T.Helper()
	w.in = a
	for end, i := time.Now().Add(lasts), 0; time.Now().Before(end); i++ {
		got, err := w.instances[i%2].Token(deadline(w.T, testworld.CallerTimeout), testworld.Key(w.name), mint.Want{})
		switch living := w.first.Left(time.Now()) > 0; {
		case living && err != nil:
			w.T.Fatalf("Token() at %v = %v, want the token that still lives", time.Now(), err)
		case living && got.Token.Fingerprint != w.first.Fingerprint:
			w.T.Fatalf("Token() at %v = another token in an outage", time.Now())
		case testworld.ErrorCode(err) == api.ReauthorizationRequired:
			w.T.Fatalf("Token() at %v = %v: an outage has ended the grant", time.Now(), err)
		}
		time.Sleep(10 * time.Second)
	}
}

// recovers has the provider answer again, and fails the test unless callers
// have a new token within 30 seconds.
func (w *intercepted) recovers() {
	w.T.Helper()
	w.in = nil
	due := time.Now().Add(30 * time.Second)
	for {
		got, err := w.instances[1].Token(deadline(w.T, testworld.CallerTimeout), testworld.Key(w.name), mint.Want{})
		if err == nil && got.Token.Generation == 2 {
			break
		}
		if time.Now().After(due) {
			w.T.Fatalf("Token() 30 seconds after the outage = %v, want a new token", err)
		}
		time.Sleep(time.Second)
	}
	if got := w.Entry(testworld.Key(w.name)); got.State != store.Live || !got.Failure.IsZero() {
		w.T.Errorf("entry after the outage = state %q, failure %q; want a living one", got.State, got.Failure.Code)
	}
}

// The same holds for outages that are made of many, whatever the provider does
// with a refresh token that comes twice.
func TestFault14_NoSequenceOfIntermediariesEndsAGrant(t *testing.T) {
	names := slices.Sorted(maps.Keys(intermediaries))
	for _, reuse := range []string{"tolerated", "unknown", "refused", "revokes_family"} {
		for seed := range uint64(testworld.Count(6, 1)) {
			t.Run(fmt.Sprintf("%s/%d", reuse, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					random := rand.New(rand.NewPCG(seed, 14)) // #nosec G404 -- a seed makes it repeatable
					w := newIntercepted(t, reuse)
					w.first = w.Token(w.instances[0], testworld.Key(w.name)).Token
					time.Sleep(time.Duration(45+random.IntN(15)) * time.Minute)
					for range 8 {
						name := names[random.IntN(len(names))]
						lasts := time.Duration(20+random.IntN(1200)) * time.Second
						t.Logf("%v of %s", lasts, name)
						w.during(intermediaries[name], lasts)
					}
					if left := w.first.Left(time.Now()); left > 0 {
						w.during(intermediaries["503 page"], left)
					}
					w.recovers()
				})
			})
		}
	}
}

// Nothing that answers to a code in the provider's place changes the grant that
// the account has, or delays the next attempt to connect it.
func TestFault14_NoIntermediaryAtConnectEndsAGrant(t *testing.T) {
	for name, a := range intermediaries {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newIntercepted(t, "unknown")
				m, k := w.instances[0], testworld.Account("movemint", "alice")
				testworld.Must(t, m.Connect(t.Context(), k, w.Code("movemint", "alice")))
				first := w.Token(m, k).Token
				time.Sleep(10 * time.Minute)
				w.in = a
				for range 3 {
					if err := m.Connect(t.Context(), k, w.Code("movemint", "alice")); err == nil {
						t.Fatal("Connect() = nil, want an error")
					}
					time.Sleep(time.Minute)
				}
				if got := w.Token(w.instances[1], k).Token; got.Fingerprint != first.Fingerprint {
					t.Errorf("Token() = %s, want %s as before", got.Fingerprint, first.Fingerprint)
				}
				w.in = nil
				time.Sleep(2 * time.Hour)
				if got := w.Token(m, k).Token; got.Generation != 2 {
					t.Errorf("Token() = generation %d, want 2 by the first grant", got.Generation)
				}
				testworld.Must(t, m.Connect(t.Context(), k, w.Code("movemint", "alice")))
			})
		})
	}
}

// A revocation that a firewall, a proxy or DNS refuses has not reached the
// provider. It is tried again, and nothing is vended meanwhile.
func TestFault14_NoIntermediarySwallowsARevocation(t *testing.T) {
	for _, name := range []string{
		"401 page", "401 empty", "403 page", "403 empty", "403 JSON of a gateway", "407", "429 page", "503 page",
		"sinkhole", "no such host", "captive redirect",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newIntercepted(t, "unknown")
				m, k := w.instances[0], testworld.Account("movemint", "alice")
				testworld.Must(t, m.Connect(t.Context(), k, w.Code("movemint", "alice")))
				old := w.Token(m, k).Token
				w.in = intermediaries[name]
				if revoked, _, err := m.Revoke(t.Context(), k); revoked || err != nil {
					t.Fatalf("Revoke() = %t, %v, want false and no error", revoked, err)
				}
				if got, err := m.Token(t.Context(), k, mint.Want{}); err == nil {
					t.Errorf("Token() = %s, want an error", got.Token.Fingerprint)
				}
				w.in = nil
				time.Sleep(20 * time.Minute)
				if _, err := m.Renew(t.Context(), k); err != nil {
					t.Errorf("Renew() = %v, want the revocation done", err)
				}
				if w.Providers.Accepts("movemint", old.Access.Reveal()) {
					t.Error("Accepts() of the revoked token = true, want false")
				}
			})
		})
	}
}

// What an intermediary answers to client credentials says nothing of the grants
// of the same credential.
func TestFault14_ClientCredentialsBehindAnIntermediaryHoldNoGrantBack(t *testing.T) {
	for name, status := range map[string]int{"401 page": 401, "403 page": 403, "404 page": 404} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				m := a.instance()
				k := a.connected(m, nil)
				a.Token(m, testworld.Key("x"))
				honest := a.answers["good.test"]
				time.Sleep(50 * time.Minute)
				a.answers["good.test"] = func(*http.Request, url.Values) (int, string) { return status, html }
				for range 200 {
					_, _ = m.Token(t.Context(), testworld.Key("x"), mint.Want{})
					_, _ = m.Token(t.Context(), k, mint.Want{})
					time.Sleep(10 * time.Second)
				}
				a.answers["good.test"] = honest
				time.Sleep(testworld.CallerTimeout)
				a.Token(m, k)
			})
		})
	}
}

// A rate limit of client credentials that names no time holds the grants of the
// same credential back for a moment only, however long it lasts.
func TestFault34_ALimitOfClientCredentialsHoldsNoGrantBack(t *testing.T) {
	for name, body := range map[string]string{
		"JSON": `{"error":"too_many_requests"}`, "a page": html, "nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttacked(t)
				m := a.instance()
				k := a.connected(m, nil)
				honest := a.answers["good.test"]
				a.answers["good.test"] = func(r *http.Request, form url.Values) (int, string) {
					if form.Get("grant_type") == "client_credentials" {
						return http.StatusTooManyRequests, body
					}
					return honest(r, form)
				}
				served := time.Now()
				for end := time.Now().Add(4 * time.Hour); time.Now().Before(end); time.Sleep(10 * time.Second) {
					_, _ = m.Token(t.Context(), testworld.Key("x"), mint.Want{})
					if _, err := m.Token(t.Context(), k, mint.Want{}); err == nil {
						served = time.Now()
					} else if time.Since(served) > 20*time.Second {
						t.Fatalf("Token() = %v for %v, want a token", err, time.Since(served))
					}
				}
			})
		})
	}
}
