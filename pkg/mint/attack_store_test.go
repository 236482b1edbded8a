package mint_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

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
	w.t.Helper()
	stands := w.entryOf(k)
	next := stands
	change(&next)
	_, err := w.store.Replace(w.t.Context(), stands, next)
	must(w.t, err)
}

// One write of a time or a count that lies far ahead must stop no token. The
// token is over when it is asked for: nothing is answered from what is stored.
func TestAttack17_OneWriteStopsNoEntry(t *testing.T) {
	far := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	fails := func(e *store.Entry, version string, count int) {
		e.Failure = store.Failure{Code: "provider_unavailable", RetryAt: far, Count: count, Version: version}
	}
	own, entry := token.RecordKey("minut"), key("minut")
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
				mustToken(t, w.instance(), key("minut"), mint.Want{})
				time.Sleep(2 * time.Hour)
				attack(w)
				for m, life := w.instance(), 0; life < 3; life++ {
					got := mustToken(t, m, key("minut"), mint.Want{})
					again := mustToken(t, w.instance(), key("minut"), mint.Want{})
					if again.Token.Fingerprint != got.Token.Fingerprint {
						t.Errorf("elsewhere: %s, want %s, just minted", again.Token.Fingerprint, got.Token.Fingerprint)
					}
					if e := w.entry("minut"); e.NextAt.After(e.ExpiresAt) || e.AskedAt.After(time.Now()) {
						t.Errorf("stored: due at %v, asked at %v; want %v at most", e.NextAt, e.AskedAt, e.ExpiresAt)
					}
					time.Sleep(2 * time.Hour)
				}
			})
		})
	}
}

// endlessLease takes a lease of ten years and never gives it back.
func (w *world) endlessLease(k token.Key) {
	w.t.Helper()
	_, err := w.store.Acquire(w.t.Context(), w.entryOf(k), 10*365*24*time.Hour)
	must(w.t, err)
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
				away := &downStore{Store: w.store}
				m := w.instanceThat(away, given)
				old := mustToken(t, m, key("minut"), mint.Want{}).Token
				want := min(want, time.Until(old.CacheUntil))
				_, _, err := w.instance().Revoke(t.Context(), key("minut"))
				must(t, err)
				away.down = true

				time.Sleep(want - time.Second)
				if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Fingerprint != old.Fingerprint {
					t.Errorf("Token after %v = %s, want %s", want-time.Second, got.Fingerprint, old.Fingerprint)
				}
				if _, err := m.Terms(t.Context(), "minut"); err != nil {
					t.Errorf("Terms after %v: %v", want-time.Second, err)
				}
				time.Sleep(time.Second)
				if got, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.StoreUnavailable {
					t.Errorf("Token after %v = %s, %v; want %s", want, got.Token.Fingerprint, err, api.StoreUnavailable)
				}
				if given == records.LongestStaleMax {
					return // terms have no cache_until
				}
				if _, err := m.Terms(t.Context(), "minut"); codeOf(err) != api.StoreUnavailable {
					t.Errorf("Terms after %v: %v, want %s", want, err, api.StoreUnavailable)
				}
			})
		})
	}
}

func TestAttack18_ARevocationThatIsKnownHereIsObeyedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: time.Hour})
		away := &downStore{Store: w.store}
		m := w.instanceThat(away, 0)
		mustToken(t, m, key("minut"), mint.Want{})
		away.down = true
		if _, _, err := m.Revoke(t.Context(), key("minut")); codeOf(err) != api.StoreUnavailable {
			t.Errorf("Revoke while the store is away: %v, want %s", err, api.StoreUnavailable)
		}
		if got, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.StoreUnavailable {
			t.Errorf("Token after Revoke = %s, %v; want %s", got.Token.Fingerprint, err, api.StoreUnavailable)
		}
	})
}
