package mint_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// replica is a store whose eventual reads lag behind: while it has a snapshot, they show that.
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

// twoGenerations has an instance mint twice, and returns the first entry and the second token.
func (w *world) twoGenerations(m *process) (older store.Entry, newer token.Token) {
	w.t.Helper()
	mustToken(w.t, m, key("minut"), mint.Want{})
	older = w.entry("minut")
	time.Sleep(31 * time.Second)
	w.kill("minut")
	return older, mustToken(w.t, m, key("minut"), mint.Want{Rejected: older.Fingerprint}).Token
}

// putBack writes an older entry over the one that stands, as whoever may write the table can.
func (w *world) putBack(older store.Entry) {
	w.t.Helper()
	_, err := w.store.Replace(w.t.Context(), w.entry(older.Key.Credential), older)
	must(w.t, err)
}

func TestFault54_AReplicaThatLagsIsNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		r := &replica{Store: w.store}
		m := w.instanceOver(r)
		mustToken(t, m, key("minut"), mint.Want{})
		r.lag(t.Context(), token.RecordKey("minut"), key("minut"))
		time.Sleep(31 * time.Second)
		w.kill("minut")
		newer := mustToken(t, m, key("minut"), mint.Want{Rejected: w.entry("minut").Fingerprint}).Token
		time.Sleep(61 * time.Second) // what is known is no longer trusted, and read again
		strong := r.strong
		for range 3 {
			if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Fingerprint != newer.Fingerprint {
				t.Errorf("generation %d, want %d", got.Generation, newer.Generation)
			}
		}
		if w.alarms("IntegrityFailures") != 0 || w.asked("minut") != 2 || r.strong != strong+1 {
			t.Errorf(
				"%d alarms, %d requests, %d strong reads; want none, 2, and one that settles it",
				w.alarms("IntegrityFailures"),
				w.asked("minut"),
				r.strong-strong,
			)
		}
	})
}

func TestFault54_AnOlderGenerationIsFoundOutByAnyRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		time.Sleep(61 * time.Second)
		got := mustToken(t, m, key("minut"), mint.Want{}).Token
		if got.Fingerprint == older.Fingerprint || got.Generation <= newer.Generation {
			t.Errorf(
				"generation %d after %d was seen and %d put back",
				got.Generation,
				newer.Generation,
				older.Generation,
			)
		}
		if w.alarms("IntegrityFailures") != 1 {
			t.Errorf("%d alarms, want 1", w.alarms("IntegrityFailures"))
		}
		time.Sleep(61 * time.Second)
		if again := mustToken(t, w.instance(), key("minut"), mint.Want{}).Token; again.Fingerprint != got.Fingerprint ||
			w.alarms("IntegrityFailures") != 1 {
			t.Errorf("elsewhere: generation %d, %d alarms", again.Generation, w.alarms("IntegrityFailures"))
		}
	})
}

func TestFault54_AnOlderGenerationStaysRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		must(t, w.sim.SetFault("minut", simulator.Fault{Down: true}))
		for range 5 {
			time.Sleep(61 * time.Second)
			if got, err := m.Token(t.Context(), key("minut"), mint.Want{}); codeOf(err) != api.ProviderUnavailable {
				t.Errorf("%v, %v; want nothing while no new token can be had", got.Token.Fingerprint, err)
			}
		}
		must(t, w.sim.SetFault("minut", simulator.Fault{}))
		time.Sleep(20 * time.Minute) // what of back-off there may be
		if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Generation <= newer.Generation {
			t.Errorf("generation %d after %d was seen", got.Generation, newer.Generation)
		}
	})
}

// A strong read that was under way while the process itself committed shows what was right when it began.
func TestFault54_AReadThatWasOvertakenIsNoAlarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		r := &replica{Store: w.store}
		m := w.instanceOver(r)
		first := mustToken(t, m, key("minut"), mint.Want{}).Token
		time.Sleep(31 * time.Second)
		w.kill("minut")
		r.answer = func(context.Context) {
			r.mu.Lock()
			r.answer = nil
			r.mu.Unlock()
			mustToken(t, m, key("minut"), mint.Want{Rejected: first.Fingerprint}) // another caller's, and meanwhile
		}
		got := mustToken(t, m, key("minut"), mint.Want{Rejected: first.Fingerprint}).Token
		if got.Generation != 2 || w.alarms("IntegrityFailures") != 0 || w.asked("minut") != 2 {
			t.Errorf(
				"generation %d, %d alarms, %d requests; want 2, none, 2",
				got.Generation,
				w.alarms("IntegrityFailures"),
				w.asked("minut"),
			)
		}
	})
}

func TestFault54_TermsOfAnotherVersionThanTheirRowSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		mustToken(t, w.instance(), key("minut"), mint.Want{})
		older := w.own("minut")
		w.put(
			"minut",
			map[string]any{"allow": map[string]any{"principals": []string{"arn:aws:iam::123456789012:role/one"}}},
		)
		_, _, err := w.instance().Discover(t.Context())
		must(t, err)
		mixed := w.own("minut")
		mixed.Sealed = older.Sealed
		_, err = w.store.Replace(t.Context(), w.own("minut"), mixed)
		must(t, err)
		terms, err := w.instance().Terms(t.Context(), "minut")
		if err != nil || len(terms.Allow.Principals) != 1 || w.alarms("IntegrityFailures") == 0 {
			t.Errorf("%+v, %v, %d alarms; want the secret's own terms", terms.Allow, err, w.alarms("IntegrityFailures"))
		}
	})
}

func (w *world) own(name string) store.Entry {
	w.t.Helper()
	entries, err := w.store.Get(w.t.Context(), store.Strong, token.RecordKey(name))
	must(w.t, err)
	return entries[0]
}

func TestFault54_TimesThatWereChangedAreNotTakenFromMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		r := &replica{Store: w.store}
		m := w.instanceOver(r)
		first := mustToken(t, m, key("minut"), mint.Want{}).Token
		r.lag(t.Context(), token.RecordKey("minut"), key("minut"))
		changed := r.snapshot[key("minut")]
		changed.RenewAt = changed.RenewAt.Add(time.Hour)
		r.snapshot[key("minut")] = changed
		time.Sleep(61 * time.Second)
		if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Fingerprint == first.Fingerprint ||
			w.alarms("IntegrityFailures") == 0 {
			t.Errorf("the same token, %d alarms", w.alarms("IntegrityFailures"))
		}
	})
}

func TestFault54_WhatWasPutBackCanBeRevoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		_, _, err := m.Revoke(t.Context(), key("minut"))
		must(t, err)
		if got := mustToken(t, m, key("minut"), mint.Want{}).Token; got.Generation <= newer.Generation ||
			w.alarms("IntegrityFailures") != 1 ||
			w.asked("minut") != 3 {
			t.Errorf(
				"after it was revoked: generation %d, %d requests, %d alarms",
				got.Generation,
				w.asked("minut"),
				w.alarms("IntegrityFailures"),
			)
		}
	})
}

func TestFault54_NoOtherReadBringsAnOlderGenerationBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		older, newer := w.twoGenerations(m)
		w.putBack(older)
		_, _, err := m.Canary(t.Context(), time.Minute) // reads all entries
		must(t, err)
		got := mustToken(t, m, key("minut"), mint.Want{}).Token
		if got.Generation < newer.Generation {
			t.Errorf("Token = generation %d, want at least %d, which was seen", got.Generation, newer.Generation)
		}
	})
}
