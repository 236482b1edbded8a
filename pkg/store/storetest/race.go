package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

var racing = []sentence{
	{"of 16 that replace at once exactly one wins", testReplaceRace},
	{"no increment is lost between holders", testIncrements},
	{"Touch at the same time disturbs neither Acquire nor Commit", testTouchRace},
}

// atOnce calls do n times concurrently and waits for all calls.
func atOnce(n int, do func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() { <-start; do(i) })
	}
	close(start)
	all.Wait()
}

func testRace(h harness, rounds int) {
	const n = 64
	seen := store.Entry{Key: key}
	for round := range rounds {
		leases, errs := make([]store.Lease, n), make([]error, n)
		atOnce(n, func(i int) { leases[i], errs[i] = h.store.Acquire(h.Context(), seen, long) })
		var winners []store.Lease
		for i, err := range errs {
			switch {
			case err == nil:
				winners = append(winners, leases[i])
			case !errors.Is(err, store.ErrLeased) || leases[i].Entry.LeasedUntil.IsZero():
				h.Fatalf("round %d: %v with %+v", round, err, leases[i])
			}
		}
		if len(winners) != 1 {
			h.Fatalf("round %d: %d winners", round, len(winners))
		}
		h.commit(winners[0], full(key))
		seen.Revision++
	}
}

func testReplaceRace(h harness) {
	const n = 16
	for round := range 5 {
		seen := h.get(key)
		errs := make([]error, n)
		atOnce(n, func(i int) {
			_, errs[i] = h.store.Replace(h.Context(), seen, store.Entry{Generation: int64(i)})
		})
		won := -1
		for i, err := range errs {
			switch {
			case err == nil && won < 0:
				won = i
			case !errors.Is(err, store.ErrChanged):
				h.Fatalf("round %d: writer %d: %v after writer %d won", round, i, err, won)
			}
		}
		h.stands(store.Entry{Key: key, Revision: int64(round) + 1, Generation: int64(won)})
	}
}

func testIncrements(h harness) {
	const holders, each = 6, 5
	errs := make([]error, holders)
	atOnce(holders, func(i int) {
		for range each {
			errs[i] = errors.Join(errs[i], increment(h.Context(), h.store))
		}
	})
	h.errorIs(errors.Join(errs...), nil)
	h.stands(store.Entry{Key: key, Revision: holders * each, Generation: holders * each})
}

// increment adds one to the generation as mint does: after a refusal it retries
// with the entry that came with it.
func increment(ctx context.Context, s store.Store) error {
	seen := store.Entry{Key: key}
	for end := time.Now().Add(2 * bound); time.Now().Before(end); {
		l, err := s.Acquire(ctx, seen, long)
		switch {
		case err == nil:
			next := l.Entry
			next.Generation++
			return s.Commit(ctx, l, next)
		case !errors.Is(err, store.ErrChanged) && !errors.Is(err, store.ErrLeased):
			return err
		}
		seen = l.Entry
		time.Sleep(time.Millisecond)
	}
	return fmt.Errorf("no lease in %v", 2*bound)
}

func testTouchRace(h harness) {
	h.put(full(key))
	var touch error
	atOnce(2, func(i int) {
		for n := range 20 {
			if i == 0 {
				touch = errors.Join(touch, h.store.Touch(h.Context(), key, noon.Add(time.Duration(n)*time.Minute)))
			} else if err := increment(h.Context(), h.store); err != nil {
				h.Error(err)
			}
		}
	})
	h.errorIs(touch, nil)
	if got := h.get(key); got.Revision != 21 || got.Generation != full(key).Generation+20 {
		h.Errorf("revision %d, generation %d", got.Revision, got.Generation)
	}
}
