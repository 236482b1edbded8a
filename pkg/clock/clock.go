// Package clock reads the wall clock, compares times and waits.
package clock

import (
	"context"
	"time"
)

// Now returns the time in UTC, in milliseconds, as the store keeps times. It
// has no monotonic reading: that one stops while Lambda freezes the process.
func Now() time.Time { return time.Now().UTC().Round(0).Truncate(time.Millisecond) }

// Earlier returns the earlier of two times.
func Earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Later returns the later of two times.
func Later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Sleep waits for a time, or until ctx ends, and then returns its error.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
