package mint_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// writeRow replaces what stands under a key, as whoever may write to the table
// can.
func (w *world) writeRow(k token.Key, change func(*store.Entry)) {
	w.T.Helper()
	stands := w.Entry(k)
	next := stands
	change(&next)
	_, err := w.Store.Replace(w.T.Context(), stands, next)
	testworld.Must(w.T, err)
}

// One write of a time or a count that lies far ahead must stop no token. The
// token is over when it is asked for: nothing is answered from what is stored.
func TestAttack17_OneWriteStopsNoEntry(t *testing.T) {
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	fails := func(e *store.Entry, version string, count int) {
		e.Failure = store.Failure{Code: "provider_unavailable", RetryAt: far, Count: count, Version: version}
	}
	own, entry := token.RecordKey("minut"), testworld.Key("minut")
	for name, attack := range map[string]func(*world){
		"a cooldown": func(w *world) { w.writeRow(own, func(e *store.Entry) { e.CooldownUntil = far }) },
		"a failure of the client": func(w *world) {
			w.writeRow(own, func(e *store.Entry) { fails(e, e.RequestDigest, 1) })
		},
		"a failure of the entry": func(w *world) {
			w.writeRow(entry, func(e *store.Entry) { fails(e, w.own("minut").RequestDigest, 1) })
		},
		"a negative failure count": func(w *world) {
			w.writeRow(own, func(e *store.Entry) { fails(e, e.RequestDigest, math.MinInt) })
		},
		"a hold":                func(w *world) { w.writeRow(entry, func(e *store.Entry) { e.HoldUntil = far }) },
		"a time to renew":       func(w *world) { w.writeRow(entry, func(e *store.Entry) { e.NextAt = far }) },
		"a time somebody asked": func(w *world) { w.writeRow(entry, func(e *store.Entry) { e.AskedAt = far }) },
		"a generation": func(w *world) {
			w.writeRow(entry, func(e *store.Entry) { e.Sealed, e.Generation = nil, math.MaxInt64 })
		},
		"a lease":                   func(w *world) { w.endlessLease(entry) },
		"a lease on the credential": func(w *world) { w.endlessLease(own) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: time.Hour})
				w.Token(w.NewProcess(), testworld.Key("minut"))
				time.Sleep(2 * time.Hour)
				attack(w)
				for m, life := w.NewProcess(), 0; life < 3; life++ {
					got := w.Token(m, testworld.Key("minut"))
					again := w.Token(w.NewProcess(), testworld.Key("minut"))
					if again.Token.Fingerprint != got.Token.Fingerprint {
						t.Errorf("Token() elsewhere = %s, want %s", again.Token.Fingerprint, got.Token.Fingerprint)
					}
					if e := w.Entry(testworld.Key("minut")); e.NextAt.After(e.ExpiresAt) ||
						e.AskedAt.After(time.Now()) {
						t.Errorf("NextAt = %v, AskedAt = %v, want %v and now at most", e.NextAt, e.AskedAt, e.ExpiresAt)
					}
					time.Sleep(2 * time.Hour)
				}
			})
		})
	}
}

// endlessLease takes a lease of ten years and never gives it back.
func (w *world) endlessLease(k token.Key) {
	w.T.Helper()
	_, err := w.Store.Acquire(w.T.Context(), w.Entry(k), 10*365*24*time.Hour)
	testworld.Must(w.T, err)
}

// While the store is away, an instance cannot learn that a token was revoked or
// a caller removed. What it vends from memory ends after StaleMax.
func TestAttack18_MemoryServesForStaleMax(t *testing.T) {
	for given, want := range map[time.Duration]time.Duration{
		0: 15 * time.Minute, time.Minute: time.Minute, time.Second: time.Minute, 5 * time.Minute: 5 * time.Minute,
		records.LongestStaleMax: records.LongestStaleMax, // the token's cache_until comes first
	} {
		t.Run(given.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{Lifetime: time.Hour})
				away := &downStore{Store: w.Store}
				m := w.NewProcess(testworld.WithStore(away), withStaleMax(given))
				old := w.Token(m, testworld.Key("minut")).Token
				want := min(want, time.Until(old.CacheUntil))
				_, _, err := w.NewProcess().Revoke(t.Context(), testworld.Key("minut"))
				testworld.Must(t, err)
				away.down = true

				time.Sleep(want - time.Second)
				if got := w.Token(m, testworld.Key("minut")).Token; got.Fingerprint != old.Fingerprint {
					t.Errorf("Token() after %v = %s, want %s", want-time.Second, got.Fingerprint, old.Fingerprint)
				}
				if _, err := m.Terms(t.Context(), "minut"); err != nil {
					t.Errorf("Terms() after %v = %v, want no error", want-time.Second, err)
				}
				time.Sleep(time.Second)
				w.Refused(m, testworld.Key("minut"), mint.Want{}, api.StoreUnavailable)
				if given == records.LongestStaleMax {
					return // terms have no cache_until
				}
				if _, err := m.Terms(t.Context(), "minut"); !testworld.HasCode(err, api.StoreUnavailable) {
					t.Errorf("Terms() after %v = %v, want %s", want, err, api.StoreUnavailable)
				}
			})
		})
	}
}

func TestAttack18_ARevocationThatIsKnownHereIsObeyedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: time.Hour})
		away := &downStore{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(away), withStaleMax(0))
		w.Token(m, testworld.Key("minut"))
		away.down = true
		if _, _, err := m.Revoke(t.Context(), testworld.Key("minut")); !testworld.HasCode(err, api.StoreUnavailable) {
			t.Errorf("Revoke() while the store is away = %v, want %s", err, api.StoreUnavailable)
		}
		w.Refused(m, testworld.Key("minut"), mint.Want{}, api.StoreUnavailable)
	})
}
