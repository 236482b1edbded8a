package expiry

import (
	"time"
)

// Expiry is one lifetime as a server gave it: relative or absolute. The zero
// value means that it gave none.
type Expiry struct {
	Given bool
	// In is relative to the time of the request, and used only where At is
	// zero. 0 means "already expired", never "does not expire".
	In time.Duration
	// At is absolute, on the provider's clock.
	At time.Time
}

// Oddity is what was odd about an expiry, in fixed words that complete a
// sentence and quote nothing; "" means nothing.
type Oddity string

// The oddities.
const (
	Unreadable Oddity = "cannot be read and counts as not given"
	Misspelt   Oddity = "is not of the kind that the descriptor names"
	Zoneless   Oddity = "has no time zone and is read as UTC"
	Beyond     Oddity = "is beyond any clock and is capped"
	Negative   Oddity = "is negative and counts as 0"
)
