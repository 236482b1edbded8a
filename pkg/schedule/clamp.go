package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/store"
)

const (
	clockSkew     = time.Minute // how far the clocks of two instances may differ
	maxCount      = 1 << 16     // failures in a row: 65,536 hours of permanent failures
	maxGeneration = 1 << 53     // no counting reaches it
)

// Clamp returns an entry without times and counts that this program cannot have
// written by now. Whoever may write to the store must not be able to block an
// entry for ever with one write.
//
// A time beyond its bound counts as not set. Cut to the bound, it would move on
// with every read and never pass.
func Clamp(e store.Entry, now time.Time) store.Entry {
	longest := now.Add(maxCooldown)
	if !e.Leased(now) {
		e.LeasedUntil = clock.Earlier(e.LeasedUntil, now)
	}
	e.CooldownUntil = unlessAfter(e.CooldownUntil, longest)
	e.AskedAt = unlessAfter(e.AskedAt, now)
	e.HoldUntil = clock.Earlier(e.HoldUntil, e.ExpiresAt)
	e.Failure.RetryAt = unlessAfter(e.Failure.RetryAt, longest)
	e.Failure.Since = unlessAfter(e.Failure.Since, now)
	e.Failure.Count = min(max(e.Failure.Count, 0), maxCount)
	e.ForcedAt = unlessAfter(e.ForcedAt, now)
	e.ForcedCount = min(max(e.ForcedCount, 0), maxCount)
	latest := clock.Later(clock.Later(e.ExpiresAt, e.RefreshUntil), longest)
	if unlessAfter(e.NextAt, latest).IsZero() && !e.NextAt.IsZero() {
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
