package mint_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// listing counts how often all credential records are read.
type listing struct {
	store.Store
	own atomic.Int32
}

func (l *listing) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	if partition == token.RecordPartition {
		l.own.Add(1)
	}
	return l.Store.List(ctx, partition, after, limit)
}

func TestRowsAreComparedOnlyWithAListingThatChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		rows := &listing{Store: w.Store}
		m := w.NewProcess(testworld.WithStore(rows))
		discover := func(what string, learnt int, reads int32) {
			t.Helper()
			before := rows.own.Load()
			if got, gone, err := m.Discover(t.Context()); err != nil || got != learnt || gone != 0 ||
				rows.own.Load()-before != reads {
				t.Errorf(
					"Discover() of %s = %d, %d, %v, in %d reads of all rows; want %d, 0, nil, %d",
					what,
					got,
					gone,
					err,
					rows.own.Load()-before,
					learnt,
					reads,
				)
			}
		}
		discover("five secrets that were added", 5, 1)
		for range 4 {
			time.Sleep(time.Minute)
			discover("nothing new", 0, 0)
		}
		w.Put("minut", "minut", map[string]any{"idle_after": "1h"})
		discover("one that changed", 1, 1)
		discover("nothing new", 0, 0)
		time.Sleep(5 * time.Minute)
		discover("nothing new, after a while", 0, 1)
	})
}

// unready is a store in which entries cannot be written, or whose caller leaves
// once the record of minut is written.
type unready struct {
	store.Store
	down  atomic.Bool
	leave context.CancelFunc // nil: the caller stays
}

func (u *unready) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	if ctx.Err() != nil {
		return store.Entry{}, ctx.Err()
	}
	if u.down.Load() && !next.Key.IsRecord() {
		return store.Entry{}, errors.New("throttled")
	}
	stored, err := u.Store.Replace(ctx, seen, next)
	if u.leave != nil && next.Key == token.RecordKey("minut") {
		u.leave()
	}
	return stored, err
}

// A discovery that ends after it has written a record makes its entries due
// nevertheless: the next one finds nothing new.
func TestDiscoveryThatEndsQueuesWhatItLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Put("minut", "minut", map[string]any{"keep_warm": true})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := w.NewProcess(testworld.WithStore(&unready{Store: w.Store, leave: cancel}))
		if _, _, err := p.Discover(ctx); ctx.Err() == nil {
			t.Fatalf("Discover() = %v, want an ended context", err)
		}
		if e := w.Entry(token.Key{Credential: "minut"}); e.NextAt.IsZero() {
			t.Error("NextAt of minut = none, want it due")
		}
	})
}

// What a discovery could not make due, the next one does.
func TestDiscoveryQueuesAgainWhatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		rows := &unready{Store: w.Store}
		p := w.NewProcess(testworld.WithStore(rows))
		if _, _, err := p.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		minut, monta := token.Key{Credential: "minut"}, token.Key{Credential: "monta"}
		w.Token(p, monta)
		kept := w.Entry(monta)
		held := kept
		schedule.Retire(&held)
		schedule.KeepForOperator(&held)
		if _, err := w.Store.Replace(t.Context(), kept, held); err != nil {
			t.Fatal(err)
		}
		w.Put("minut", "minut", map[string]any{"keep_warm": true})
		testworld.Must(t, w.Secrets.Remove("monta"))
		rows.down.Store(true)
		for range 2 {
			time.Sleep(time.Minute)
			if _, _, err := p.Discover(t.Context()); err == nil {
				t.Error("Discover() while entries cannot be written = nil error, want one")
			}
		}
		if e := w.Entry(minut); !e.NextAt.IsZero() {
			t.Fatalf("NextAt = %v, want none yet", e.NextAt)
		}
		rows.down.Store(false)
		time.Sleep(time.Minute)
		if _, _, err := p.Discover(t.Context()); err != nil {
			t.Errorf("Discover() = %v, want nil", err)
		}
		for _, k := range []token.Key{minut, monta} {
			if e := w.Entry(k); e.NextAt.IsZero() {
				t.Errorf("NextAt of %s = none, want it due", k.Credential)
			}
		}
	})
}
