package mint_test

import (
	"context"
	"net/http"
	"os"
	"strings"
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

func TestFault20_ATokenThatIsOverWhenItComesIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.sim.SetFault("movemint", simulator.Fault{Expiry: "0"}))
		if _, err := w.instance().Token(t.Context(), key("movemint"), mint.Want{}); codeOf(
			err,
		) != api.ProviderMalformed {
			t.Errorf("%v", err)
		}
		if e := w.entry("movemint"); e.Fingerprint != "" || e.Failure.Code != string(api.ProviderMalformed) {
			t.Errorf("stored: %+v", e)
		}
	})
}

func TestFault28_AnExpiryIsWallTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		got := mustToken(t, w.instance(), key("minut"), mint.Want{}).Token
		for what, at := range map[string]time.Time{"issued": got.IssuedAt, "expires": got.ExpiresAt, "cache until": got.CacheUntil} {
			if at != at.Round(0) { // Round(0) strips a monotonic reading
				t.Errorf("%s carries a monotonic reading, which stands still while an instance is frozen", what)
			}
		}
	})
}

func TestFault29_NeverLessThanAFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
		m := w.instance()
		old := mustToken(t, m, key("minut"), mint.Want{}).Token
		time.Sleep(8 * time.Minute)
		must(t, w.sim.SetFault("minut", simulator.Fault{Status: http.StatusServiceUnavailable}))
		if _, err := m.Token(t.Context(), key("minut"), mint.Want{Life: 3 * time.Minute}); codeOf(
			err,
		) != api.ProviderUnavailable {
			t.Errorf("two minutes were left, three were the floor: %v", err)
		}
		if got := mustToken(t, m, key("minut"), mint.Want{Life: 90 * time.Second}); got.Token.Fingerprint != old.Fingerprint {
			t.Error("a floor that the token meets was not met")
		}
		if got := mustToken(t, m, key("minut"), mint.Want{}); got.Token.Fingerprint != old.Fingerprint {
			t.Error("without a floor a living token was not vended")
		}
	})
}

func TestFault30_TheLifetimeIsCountedFromBeforeTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.sim.SetFault("movemint", simulator.Fault{Delay: 9 * time.Second}))
		asked := time.Now()
		got := mustToken(t, w.instance(), key("movemint"), mint.Want{}).Token
		if got.ExpiresAt.After(asked.Add(2*time.Hour)) || !got.IssuedAt.Equal(asked) {
			t.Errorf("asked at %v, expires at %v, two hours were given", asked, got.ExpiresAt)
		}
	})
}

func TestFault23_AHundredYearsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.sim.SetFault("movemint", simulator.Fault{Expiry: "3153600000"}))
		if left := mustToken(t, w.instance(), key("movemint"), mint.Want{}).Token.Left(time.Now()); left > 24*time.Hour {
			t.Errorf("vended for %v", left)
		}
	})
}

func TestFault44_AnUnknownRefusalIsNotForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(
			t,
			w.sim.SetFault(
				"movemint",
				simulator.Fault{
					Status:      http.StatusBadRequest,
					Body:        `{"error":"invalid_token_reuse"}`,
					ContentType: "application/json",
					Times:       1,
				},
			),
		)
		m := w.instance()
		_, err := m.Token(t.Context(), key("movemint"), mint.Want{})
		if codeOf(err) != api.ProviderRejected {
			t.Fatalf("%v", err)
		}
		time.Sleep(3 * time.Second)
		mustToken(t, m, key("movemint"), mint.Want{})
	})
}

func TestFault62_AnotherInstanceKnowsWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		a, b := w.instance(), w.instance()
		old := mustToken(t, a, key("minut"), mint.Want{}).Token
		mustToken(t, b, key("minut"), mint.Want{})
		time.Sleep(31 * time.Second)
		mustToken(t, b, key("minut"), mint.Want{})
		_, until, err := a.Revoke(t.Context(), key("minut"))
		must(t, err)
		if until.After(time.Now().Add(time.Minute)) {
			t.Errorf("memory until %v, at %v", until, time.Now())
		}
		time.Sleep(time.Until(until))
		if got := mustToken(t, b, key("minut"), mint.Want{}); got.Token.Fingerprint == old.Fingerprint {
			t.Error("a forgotten token is vended after a minute")
		}
	})
}

func TestFault53_AReportIsJudgedByAStrongRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		lagging := &laggingStore{Store: w.store}
		a, b := w.instance(), w.instanceOver(lagging)
		old := mustToken(t, a, key("minut"), mint.Want{}).Token
		mustToken(t, b, key("minut"), mint.Want{})
		time.Sleep(31 * time.Second)
		w.kill("minut")
		fresh := mustToken(t, a, key("minut"), mint.Want{Rejected: old.Fingerprint}).Token
		if got := mustToken(t, b, key("minut"), mint.Want{Rejected: old.Fingerprint}); got.Token.Fingerprint != fresh.Fingerprint ||
			w.asked("minut") != 2 {
			t.Errorf(
				"the instance that lags behind got %s after %d requests, want %s after 2",
				got.Token.Fingerprint,
				w.asked("minut"),
				fresh.Fingerprint,
			)
		}
	})
}

// laggingStore answers every eventual read with what it answered first.
type laggingStore struct {
	store.Store
	first map[token.Key]store.Entry
}

func (s *laggingStore) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	entries, err := s.Store.Get(ctx, c, keys...)
	if s.first == nil {
		s.first = map[token.Key]store.Entry{}
	}
	for i, e := range entries {
		if old, seen := s.first[e.Key]; seen && c == store.Eventual {
			entries[i] = old
			continue
		}
		s.first[e.Key] = e
	}
	return entries, err
}

func TestFault54_AnOlderGenerationIsRefusedByWhoSawANewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		mustToken(t, m, key("minut"), mint.Want{})
		older := w.entry("minut")
		time.Sleep(31 * time.Second)
		w.kill("minut")
		newer := mustToken(t, m, key("minut"), mint.Want{Rejected: older.Fingerprint}).Token
		_, err := w.store.Replace(t.Context(), w.entry("minut"), older)
		must(t, err)
		time.Sleep(31 * time.Second)
		got := mustToken(t, m, key("minut"), mint.Want{Rejected: newer.Fingerprint}).Token
		if got.Fingerprint == older.Fingerprint {
			t.Error("an older item was put back, and vended by who had seen the newer")
		}
	})
}

func TestNothingIsClaimedThatCouldNotBeFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), mint.Timeout-time.Second)
		defer cancel()
		if _, err := w.instance().Token(ctx, key("minut"), mint.Want{}); codeOf(err) != api.ProviderUnavailable {
			t.Errorf("%v", err)
		}
		if e := w.entry("minut"); w.asked("minut") != 0 || !e.LeasedUntil.IsZero() {
			t.Errorf("asked %d times, leased until %v", w.asked("minut"), e.LeasedUntil)
		}
	})
}

func TestACallerWhoLeavesCancelsNoExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		must(t, w.sim.SetFault("minut", simulator.Fault{Delay: 2 * time.Second}))
		m := w.instance()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel() }()
		if _, err := m.Token(ctx, key("minut"), mint.Want{}); err == nil {
			t.Error("answered who had left")
		}
		m.Wait()
		if got := mustToken(t, w.instance(), key("minut"), mint.Want{}); got.Origin != records.Store ||
			w.asked("minut") != 1 {
			t.Errorf("%+v after %d requests", got, w.asked("minut"))
		}
	})
}

func TestFault42_AScopeNarrowerThanAskedIsVendedWithAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.put("miden", map[string]any{"scope": "cards payouts"})
		must(t, w.sim.SetFault("miden", simulator.Fault{Set: map[string]string{"scope": `"cards"`}}))
		if got := mustToken(t, w.instance(), key("miden"), mint.Want{}); got.Token.Scope != "cards" {
			t.Errorf("granted %q", got.Token.Scope)
		}
		if !strings.Contains(w.logged(), "withheld=payouts") {
			t.Error("nothing warns of the scope that was not granted")
		}
	})
}

func TestFault22_WhatIsOddAboutAnAnswerStandsInTheJournal(t *testing.T) {
	for name, c := range map[string]struct {
		fault simulator.Fault
		want  string
	}{
		"an expiry":      {simulator.Fault{Expiry: `"soon"`}, `warning="the expiry cannot be read and counts as not given"`},
		"a type":         {simulator.Fault{Set: map[string]string{"token_type": `"BearerToken"`}}, `warning="the token type is not Bearer and counts as Bearer"`},
		"an error":       {simulator.Fault{Set: map[string]string{"error": `"oops"`}}, `warning="an error stands beside the token"`},
		"nothing is odd": {simulator.Fault{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.put("minut", nil)
				must(t, w.sim.SetFault("minut", c.fault))
				if got := mustToken(t, w.instance(), key("minut"), mint.Want{}); got.Token.Type != "Bearer" {
					t.Errorf("Token(minut) has type %q, want Bearer", got.Token.Type)
				}
				if log := w.logged(); !strings.Contains(log, c.want) ||
					c.want == "" && strings.Contains(log, "warning=") {
					t.Errorf("Token(minut) logged %s, want %s in it", log, c.want)
				}
			})
		})
	}
}

func TestFault48_LivingTokensNeedNoSecret(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		first := mustToken(t, w.instance(), key("minut"), mint.Want{}).Token
		must(t, os.RemoveAll(w.folder)) // out of reach: a folder that is not there says nothing of what was in it
		cold := w.instance()
		if got := mustToken(t, cold, key("minut"), mint.Want{}); got.Token.Fingerprint != first.Fingerprint {
			t.Errorf("%+v", got)
		}
		for _, name := range []string{"monta", "nobody"} {
			if _, err := cold.Token(t.Context(), key(name), mint.Want{}); codeOf(err) != api.SecretUnavailable {
				t.Errorf("%s, which has to be minted: %v", name, err)
			}
		}
		if learnt, gone, err := cold.Discover(t.Context()); err == nil || gone != 0 {
			t.Errorf("%d learnt, %d gone, %v", learnt, gone, err)
		}
		time.Sleep(55 * time.Minute)
		if _, err := cold.Token(t.Context(), key("minut"), mint.Want{Life: 20 * time.Minute}); codeOf(
			err,
		) != api.SecretUnavailable {
			t.Errorf("a longer life than is left: %v", err)
		}
		mustToken(t, cold, key("minut"), mint.Want{})
	})
}
