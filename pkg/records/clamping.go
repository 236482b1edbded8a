package records

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// clamping is a store that returns clamped entries only, and raises an alarm if
// one had to be clamped.
type clamping struct {
	store.Store
	journal journal.Journal
}

func (s clamping) clamp(ctx context.Context, e store.Entry) store.Entry {
	clamped := schedule.Clamp(e, clock.Now())
	if clamped.CooldownUntil != e.CooldownUntil || clamped.Failure != e.Failure ||
		clamped.NextAt != e.NextAt || clamped.Generation != e.Generation {
		detail := "a time or a count that no version of this program writes: " + e.Key.String()
		s.journal.Integrity(ctx, e.Key.Credential, detail)
	}
	return clamped
}

// Get implements store.Store.
func (s clamping) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	entries, err := s.Store.Get(ctx, c, keys...)
	for i, e := range entries {
		entries[i] = s.clamp(ctx, e)
	}
	return entries, err
}

// List implements store.Store. It leaves out a row that is no entry, and raises
// an alarm: one such row must not keep the others from being seen. To find the
// rows around it, fewer are read at once.
func (s clamping) List(ctx context.Context, partition, after string, limit int) (all []store.Entry, err error) {
	for atOnce := limit; len(all) < limit; {
		atOnce = min(atOnce, limit-len(all))
		page, err := s.Store.List(ctx, partition, after, atOnce)
		bad, isRow := errors.AsType[*store.RowError](err)
		switch {
		case isRow && atOnce > 1:
			atOnce /= 2
			continue
		case isRow && bad.Sort > after:
			s.journal.Integrity(ctx, "", err.Error())
			after = bad.Sort
			continue
		case err != nil:
			return nil, err
		}
		for _, e := range page {
			after = e.Key.SortKey()
			all = append(all, s.clamp(ctx, e))
		}
		if len(page) < atOnce {
			break
		}
		atOnce *= 2
	}
	return all, nil
}

// Acquire implements store.Store.
func (s clamping) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (store.Lease, error) {
	l, err := s.Store.Acquire(ctx, seen, ttl)
	l.Entry = s.clamp(ctx, l.Entry)
	return l, err
}

// Replace implements store.Store.
func (s clamping) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	stored, err := s.Store.Replace(ctx, seen, next)
	return s.clamp(ctx, stored), err
}
