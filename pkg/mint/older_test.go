package mint_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// replica is a store whose eventual reads lag behind: while it has a snapshot,
// they show that.
type replica struct {
	store.Store
	mu       sync.Mutex
	snapshot map[token.Key]store.Entry
	strong   int                   // strong reads
	answer   func(context.Context) // called before a strong read's answer is handed over
}

// lag freezes what eventual reads show of the keys.
func (r *replica) lag(ctx context.Context, keys ...token.Key) {
	entries, _ := r.Store.Get(ctx, store.Strong, keys...)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.snapshot = map[token.Key]store.Entry{}
	for _, e := range entries {
		r.snapshot[e.Key] = e
	}
}

func (r *replica) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	entries, err := r.Store.Get(ctx, c, keys...)
	r.mu.Lock()
	answer := r.answer
	if c == store.Strong {
		r.strong++
	}
	for i, e := range entries {
		if old, lags := r.snapshot[e.Key]; lags && c == store.Eventual {
			entries[i] = old
		}
	}
	r.mu.Unlock()
	if answer != nil && c == store.Strong {
		answer(ctx)
	}
	return entries, err
}

// twoGenerations has an instance mint twice, and returns the first entry and
// the second token.
func (w *world) twoGenerations(m *testworld.Process) (older store.Entry, newer token.Token) {
	w.T.Helper()
	w.Token(m, testworld.Key("minut"))
	older = w.Entry(testworld.Key("minut"))
	time.Sleep(31 * time.Second)
	w.kill("minut")
	return older, w.TokenThat(m, testworld.Key("minut"), mint.Want{Rejected: older.Fingerprint}).Token
}

// putBack writes an older entry over the one that stands, as whoever may write
// the table can.
func (w *world) putBack(older store.Entry) {
	w.T.Helper()
	_, err := w.Store.Replace(w.T.Context(), w.Entry(testworld.Key(older.Key.Credential)), older)
	testworld.Must(w.T, err)
}

func TestFault54_AReplicaThatLagsIsNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		r := &replica{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(r))
		w.Token(m, testworld.Key("minut"))
		r.lag(t.Context(), token.RecordKey("minut"), testworld.Key("minut"))
		time.Sleep(31 * time.Second)
		w.kill("minut")
		newer := w.TokenThat(
			m,
			testworld.Key("minut"),
			mint.Want{Rejected: w.Entry(testworld.Key("minut")).Fingerprint},
		).Token
		time.Sleep(61 * time.Second) // what is known is no longer trusted, and read again
		strong := r.strong
		for range 3 {
			if got := w.Token(m, testworld.Key("minut")).Token; got.Fingerprint != newer.Fingerprint {
				t.Errorf("Token() = generation %d, want %d", got.Generation, newer.Generation)
			}
		}
		if w.Alarms("IntegrityFailures") != 0 || w.TokenRequests("minut") != 2 || r.strong != strong+1 {
			t.Errorf(
				"%d alarms, %d requests, %d strong reads; want 0, 2, 1",
				w.Alarms("IntegrityFailures"),
				w.TokenRequests("minut"),
				r.strong-strong,
			)
		}
	})
}

func TestFault54_AnOlderGenerationIsFoundOutByAnyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		time.Sleep(61 * time.Second)
		got := w.Token(m, testworld.Key("minut")).Token
		if got.Fingerprint == older.Fingerprint || got.Generation <= newer.Generation {
			t.Errorf(
				"Token() = generation %d, after %d was seen and %d put back, want a newer one",
				got.Generation,
				newer.Generation,
				older.Generation,
			)
		}
		if w.Alarms("IntegrityFailures") != 1 {
			t.Errorf("%d alarms, want 1", w.Alarms("IntegrityFailures"))
		}
		time.Sleep(61 * time.Second)
		if again := w.Token(w.NewProcess(), testworld.Key("minut")).Token; again.Fingerprint != got.Fingerprint ||
			w.Alarms("IntegrityFailures") != 1 {
			t.Errorf(
				"Token() elsewhere = generation %d, %d alarms; want %d, 1",
				again.Generation,
				w.Alarms("IntegrityFailures"),
				got.Generation,
			)
		}
	})
}

func TestFault54_AnOlderGenerationStaysRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Down: true}))
		for range 5 {
			time.Sleep(61 * time.Second)
			w.Refused(m, testworld.Key("minut"), mint.Want{}, api.ProviderUnavailable)
		}
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{}))
		time.Sleep(20 * time.Minute) // what of back-off there may be
		if got := w.Token(m, testworld.Key("minut")).Token; got.Generation <= newer.Generation {
			t.Errorf("Token() = generation %d, want one after %d", got.Generation, newer.Generation)
		}
	})
}

// A strong read that was under way while the process itself committed shows
// what was right when it began.
func TestFault54_AReadThatWasOvertakenIsNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		r := &replica{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(r))
		first := w.Token(m, testworld.Key("minut")).Token
		time.Sleep(31 * time.Second)
		w.kill("minut")
		r.answer = func(context.Context) {
			r.mu.Lock()
			r.answer = nil
			r.mu.Unlock()
			w.TokenThat(
				m,
				testworld.Key("minut"),
				mint.Want{Rejected: first.Fingerprint},
			) // another caller's, and meanwhile
		}
		got := w.TokenThat(m, testworld.Key("minut"), mint.Want{Rejected: first.Fingerprint}).Token
		if got.Generation != 2 || w.Alarms("IntegrityFailures") != 0 || w.TokenRequests("minut") != 2 {
			t.Errorf(
				"Token() = generation %d, %d alarms, %d requests; want 2, 0, 2",
				got.Generation,
				w.Alarms("IntegrityFailures"),
				w.TokenRequests("minut"),
			)
		}
	})
}

func TestFault54_TermsOfAnotherVersionThanTheirRowSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Token(w.NewProcess(), testworld.Key("minut"))
		older := w.own("minut")
		w.Put(
			"minut",
			"minut",
			map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/one"}}},
		)
		_, _, err := w.NewProcess().Discover(t.Context())
		testworld.Must(t, err)
		mixed := w.own("minut")
		mixed.Sealed = older.Sealed
		_, err = w.Store.Replace(t.Context(), w.own("minut"), mixed)
		testworld.Must(t, err)
		terms, err := w.NewProcess().Terms(t.Context(), "minut")
		if err != nil || len(terms.Allow.Principals) != 1 || w.Alarms("IntegrityFailures") == 0 {
			t.Errorf(
				"Terms() = %+v, %v, %d alarms; want the secret's own, 1",
				terms.Allow,
				err,
				w.Alarms("IntegrityFailures"),
			)
		}
	})
}

func (w *world) own(name string) store.Entry {
	w.T.Helper()
	entries, err := w.Store.Get(w.T.Context(), store.Strong, token.RecordKey(name))
	testworld.Must(w.T, err)
	return entries[0]
}

func TestFault54_TimesThatWereChangedAreNotTakenFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		r := &replica{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(r))
		first := w.Token(m, testworld.Key("minut")).Token
		r.lag(t.Context(), token.RecordKey("minut"), testworld.Key("minut"))
		changed := r.snapshot[testworld.Key("minut")]
		changed.RenewAt = changed.RenewAt.Add(time.Hour)
		r.snapshot[testworld.Key("minut")] = changed
		time.Sleep(61 * time.Second)
		if got := w.Token(m, testworld.Key("minut")).Token; got.Fingerprint == first.Fingerprint ||
			w.Alarms("IntegrityFailures") == 0 {
			t.Errorf("Token() = %s, %d alarms; want another token, 1", got.Fingerprint, w.Alarms("IntegrityFailures"))
		}
	})
}

func TestFault54_WhatWasPutBackCanBeRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		_, _, err := m.Revoke(t.Context(), testworld.Key("minut"))
		testworld.Must(t, err)
		if got := w.Token(m, testworld.Key("minut")).Token; got.Generation <= newer.Generation ||
			w.Alarms("IntegrityFailures") != 1 ||
			w.TokenRequests("minut") != 3 {
			t.Errorf(
				"Token() after Revoke() = generation %d, %d requests, %d alarms; want a newer one, 3, 1",
				got.Generation,
				w.TokenRequests("minut"),
				w.Alarms("IntegrityFailures"),
			)
		}
	})
}

func TestFault54_NoOtherReadBringsAnOlderGenerationBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		_, _, err := m.Canary(t.Context(), time.Minute) // reads all entries
		testworld.Must(t, err)
		got := w.Token(m, testworld.Key("minut")).Token
		if got.Generation < newer.Generation {
			t.Errorf("Token() = generation %d, want at least %d, which was seen", got.Generation, newer.Generation)
		}
	})
}
