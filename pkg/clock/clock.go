// Package clock reads the wall clock.
package clock

import "time"

// Now returns the time in UTC, in milliseconds, as the store keeps times. It
// has no monotonic reading: that one stops while Lambda freezes the process.
func Now() time.Time { return time.Now().UTC().Round(0).Truncate(time.Millisecond) }
