package mint_test

import (
	"context"
	"net/http"
	"os"
	"strings"
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

func TestFault20_ATokenThatIsOverWhenItComesIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Expiry: "0"}))
		w.Refused(w.NewProcess(), testworld.Key("movemint"), mint.Want{}, api.ProviderMalformed)
		if e := w.Entry(testworld.Key("movemint")); e.Fingerprint != "" ||
			e.Failure.Code != string(api.ProviderMalformed) {
			t.Errorf("Entry(movemint) = %+v, want no token, %s", e, api.ProviderMalformed)
		}
	})
}

func TestFault28_AnExpiryIsWallTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		got := w.Token(w.NewProcess(), testworld.Key("minut")).Token
		for what, at := range map[string]time.Time{
			"IssuedAt": got.IssuedAt, "ExpiresAt": got.ExpiresAt, "CacheUntil": got.CacheUntil,
		} {
			if at != at.Round(0) { // Round(0) strips a monotonic reading
				t.Errorf("%s = %v, want no monotonic reading, which stops while an instance is frozen", what, at)
			}
		}
	})
}

func TestFault29_NeverLessThanAFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{Lifetime: 10 * time.Minute})
		m := w.NewProcess()
		old := w.Token(m, testworld.Key("minut")).Token
		time.Sleep(8 * time.Minute)
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Status: http.StatusServiceUnavailable}))
		w.Refused(m, testworld.Key("minut"), mint.Want{Life: 3 * time.Minute}, api.ProviderUnavailable)
		got := w.TokenThat(m, testworld.Key("minut"), mint.Want{Life: 90 * time.Second})
		if got.Token.Fingerprint != old.Fingerprint {
			t.Errorf("Token() that lives 90s = %s, want %s", got.Token.Fingerprint, old.Fingerprint)
		}
		if got := w.Token(m, testworld.Key("minut")); got.Token.Fingerprint != old.Fingerprint {
			t.Errorf("Token() = %s, want %s, which lives", got.Token.Fingerprint, old.Fingerprint)
		}
	})
}

func TestFault30_TheLifetimeIsCountedFromBeforeTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Delay: 9 * time.Second}))
		asked := time.Now()
		got := w.Token(w.NewProcess(), testworld.Key("movemint")).Token
		if got.ExpiresAt.After(asked.Add(2*time.Hour)) || !got.IssuedAt.Equal(asked) {
			t.Errorf("Token() = issued at %v, until %v; want %v, two hours at most", got.IssuedAt, got.ExpiresAt, asked)
		}
	})
}

func TestFault23_AHundredYearsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Expiry: "3153600000"}))
		if left := w.Token(w.NewProcess(), testworld.Key("movemint")).Token.Left(time.Now()); left > 24*time.Hour {
			t.Errorf("Token() lives %v, want 24h at most", left)
		}
	})
}

func TestFault44_AnUnknownRefusalIsNotForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault(
			"movemint",
			simulator.Fault{
				Status:      http.StatusBadRequest,
				Body:        `{"error":"invalid_token_reuse"}`,
				ContentType: "application/json",
				Times:       1,
			},
		))
		m := w.NewProcess()
		_, err := m.Token(t.Context(), testworld.Key("movemint"), mint.Want{})
		if !testworld.HasCode(err, api.ProviderRejected) {
			t.Fatalf("Token() = %v, want %s", err, api.ProviderRejected)
		}
		time.Sleep(3 * time.Second)
		w.Token(m, testworld.Key("movemint"))
	})
}

func TestFault62_AnotherInstanceKnowsWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		a, b := w.NewProcess(), w.NewProcess()
		old := w.Token(a, testworld.Key("minut")).Token
		w.Token(b, testworld.Key("minut"))
		time.Sleep(31 * time.Second)
		w.Token(b, testworld.Key("minut"))
		_, until, err := a.Revoke(t.Context(), testworld.Key("minut"))
		testworld.Must(t, err)
		if until.After(time.Now().Add(time.Minute)) {
			t.Errorf("Revoke() = memory until %v, want a minute after %v at most", until, time.Now())
		}
		time.Sleep(time.Until(until))
		if got := w.Token(b, testworld.Key("minut")); got.Token.Fingerprint == old.Fingerprint {
			t.Errorf("Token() after a minute = %s, which was forgotten, want another", old.Fingerprint)
		}
	})
}

func TestFault53_AReportIsDecidedByAStrongRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		lagging := &laggingStore{Store: w.Store}
		a, b := w.NewProcess(), w.NewProcess(testworld.WithStore(lagging))
		old := w.Token(a, testworld.Key("minut")).Token
		w.Token(b, testworld.Key("minut"))
		time.Sleep(31 * time.Second)
		w.kill("minut")
		fresh := w.TokenThat(a, testworld.Key("minut"), mint.Want{Rejected: old.Fingerprint}).Token
		got := w.TokenThat(b, testworld.Key("minut"), mint.Want{Rejected: old.Fingerprint})
		if got.Token.Fingerprint != fresh.Fingerprint ||
			w.TokenRequests("minut") != 2 {
			t.Errorf(
				"Token() of the process that lags = %s after %d requests, want %s after 2",
				got.Token.Fingerprint,
				w.TokenRequests("minut"),
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
		m := w.NewProcess()
		w.Token(m, testworld.Key("minut"))
		older := w.Entry(testworld.Key("minut"))
		time.Sleep(31 * time.Second)
		w.kill("minut")
		newer := w.TokenThat(m, testworld.Key("minut"), mint.Want{Rejected: older.Fingerprint}).Token
		_, err := w.Store.Replace(t.Context(), w.Entry(testworld.Key("minut")), older)
		testworld.Must(t, err)
		time.Sleep(31 * time.Second)
		got := w.TokenThat(m, testworld.Key("minut"), mint.Want{Rejected: newer.Fingerprint}).Token
		if got.Fingerprint == older.Fingerprint {
			t.Errorf("Token() = %s, which is older than what was seen, want another", got.Fingerprint)
		}
	})
}

func TestNothingIsClaimedThatCouldNotBeFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), mint.Timeout-time.Second)
		defer cancel()
		if _, err := w.NewProcess().Token(ctx, testworld.Key("minut"), mint.Want{}); !testworld.HasCode(
			err,
			api.ProviderUnavailable,
		) {
			t.Errorf("Token() with less time than a mint takes = %v, want %s", err, api.ProviderUnavailable)
		}
		if e := w.Entry(testworld.Key("minut")); w.TokenRequests("minut") != 0 || !e.LeasedUntil.IsZero() {
			t.Errorf("%d requests, leased until %v; want 0 and no lease", w.TokenRequests("minut"), e.LeasedUntil)
		}
	})
}

func TestACallerWhoLeavesCancelsNoExchange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: 2 * time.Second}))
		m := w.NewProcess()
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel() }()
		if _, err := m.Token(ctx, testworld.Key("minut"), mint.Want{}); err == nil {
			t.Error("Token() of a caller who left = nil error, want one")
		}
		m.Wait()
		if got := w.Token(w.NewProcess(), testworld.Key("minut")); got.Origin != records.Store ||
			w.TokenRequests("minut") != 1 {
			t.Errorf("Token() = %+v after %d requests, want one from the store after 1", got, w.TokenRequests("minut"))
		}
	})
}

func TestFault42_AScopeNarrowerThanAskedIsVendedWithAWarning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put("miden", "miden", map[string]any{"scope": "cards payouts"})
		testworld.Must(t, w.Providers.SetFault("miden", simulator.Fault{Set: map[string]string{"scope": `"cards"`}}))
		if got := w.Token(w.NewProcess(), testworld.Key("miden")); got.Token.Scope != "cards" {
			t.Errorf("Scope = %q, want cards", got.Token.Scope)
		}
		if !strings.Contains(w.Log.String(), "withheld=payouts") {
			t.Errorf("log = %s, want withheld=payouts in it", w.Log.String())
		}
	})
}

func TestFault22_WhatIsOddAboutAnAnswerStandsInTheJournal(t *testing.T) {
	for name, c := range map[string]struct {
		fault simulator.Fault
		want  string
	}{
		"an expiry": {
			simulator.Fault{Expiry: `"soon"`},
			`warning="the expiry cannot be read and counts as not given"`,
		},
		"a type": {
			simulator.Fault{Set: map[string]string{"token_type": `"BearerToken"`}},
			`warning="the token type is not Bearer and counts as Bearer"`,
		},
		"an error": {
			simulator.Fault{Set: map[string]string{"error": `"oops"`}},
			`warning="an error stands beside the token"`,
		},
		"nothing is odd": {simulator.Fault{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				w.Put("minut", "minut", nil)
				testworld.Must(t, w.Providers.SetFault("minut", c.fault))
				if got := w.Token(w.NewProcess(), testworld.Key("minut")); got.Token.Type != "Bearer" {
					t.Errorf("Token(minut) has type %q, want Bearer", got.Token.Type)
				}
				if log := w.Log.String(); !strings.Contains(log, c.want) ||
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
		first := w.Token(w.NewProcess(), testworld.Key("minut")).Token
		// A folder that is not there says nothing of what was in it.
		testworld.Must(t, os.RemoveAll(w.Folder))
		cold := w.NewProcess()
		if got := w.Token(cold, testworld.Key("minut")); got.Token.Fingerprint != first.Fingerprint {
			t.Errorf("Token() without secrets = %+v, want %s", got, first.Fingerprint)
		}
		for _, name := range []string{"monta", "nobody"} {
			w.Refused(cold, testworld.Key(name), mint.Want{}, api.SecretUnavailable)
		}
		if learnt, gone, err := cold.Discover(t.Context()); err == nil || gone != 0 {
			t.Errorf("Discover() = %d, %d, %v, want nothing gone, an error", learnt, gone, err)
		}
		time.Sleep(55 * time.Minute)
		w.Refused(cold, testworld.Key("minut"), mint.Want{Life: 20 * time.Minute}, api.SecretUnavailable)
		w.Token(cold, testworld.Key("minut"))
	})
}
