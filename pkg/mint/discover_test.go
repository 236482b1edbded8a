package mint_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
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
