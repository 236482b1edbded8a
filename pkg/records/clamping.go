package records

import (
	"context"
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

// List implements store.Store.
func (s clamping) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	entries, err := s.Store.List(ctx, partition, after, limit)
	for i, e := range entries {
		entries[i] = s.clamp(ctx, e)
	}
	return entries, err
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
