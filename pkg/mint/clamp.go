package mint

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	clockSkew     = time.Minute // how far the clocks of two instances may be apart
	maxCount      = 1 << 16     // failures in a row: 65,536 hours of permanent failures
	maxGeneration = 1 << 53     // no counting reaches it
)

// clamp returns e without times and counts that this program cannot have
// written by now. Whoever may write to the store must not be able to stop an
// entry for ever with one write.
//
// What lies beyond its bound is taken as not set. Cut to the bound, it would
// move on with every read and never pass.
func clamp(e store.Entry, now time.Time) store.Entry {
	longest := now.Add(longestCooldown)
	if !e.Leased(now) {
		e.LeasedUntil = earlier(e.LeasedUntil, now)
	}
	e.CooldownUntil = unlessAfter(e.CooldownUntil, longest)
	e.AskedAt = unlessAfter(e.AskedAt, now)
	e.HoldUntil = earlier(e.HoldUntil, e.ExpiresAt)
	e.Failure.RetryAt = unlessAfter(e.Failure.RetryAt, longest)
	e.Failure.Since = unlessAfter(e.Failure.Since, now)
	e.Failure.Count = min(max(e.Failure.Count, 0), maxCount)
	e.ForcedAt = unlessAfter(e.ForcedAt, now)
	e.ForcedCount = min(max(e.ForcedCount, 0), maxCount)
	if unlessAfter(e.NextAt, later(later(e.ExpiresAt, e.RefreshUntil), longest)).IsZero() && !e.NextAt.IsZero() {
		e.NextAt = now // due: its place in the index is wrong
	}
	if e.Generation < 0 || e.Generation > maxGeneration {
		e.Generation = 0
	}
	return e
}

// unlessAfter returns at, or the zero time if at is after latest by more than
// clocks may differ.
func unlessAfter(at, latest time.Time) time.Time {
	if at.After(latest.Add(clockSkew)) {
		return time.Time{}
	}
	return at
}

// clamping is a store that hands out clamped entries only, and raises an alarm
// where one had to be clamped.
type clamping struct {
	store.Store
	journal journal.Journal
}

func (s clamping) clamp(ctx context.Context, e store.Entry) store.Entry {
	clamped := clamp(e, wall())
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
	stands, err := s.Store.Replace(ctx, seen, next)
	return s.clamp(ctx, stands), err
}
