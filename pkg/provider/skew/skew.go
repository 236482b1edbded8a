// Package skew knows how far a provider's clock is ahead of ours. Assertions,
// absolute expiries and the "exp" of a JWT are all read and written by it.
package skew

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// Max is how far a provider's clock is believed to be from ours. What is
	// further off is more likely a wrong Date field than a wrong clock.
	Max = time.Hour
	// Resolution is how much of a second the Date field leaves out.
	Resolution = time.Second
)

// Skew is how far a provider's clock is ahead of ours, at most: [Skew.Ours]
// makes a lifetime shorter, never longer. The zero value means that it is not
// known, and counts as none.
type Skew struct {
	known bool
	ahead time.Duration
}

// Of returns the skew by the Date field of a response (RFC 9110 §6.6.1), or the
// zero value where the field is missing, no date, or further off than [Max].
// sentAt is our time just before the request was sent. A cache adds its Age
// (RFC 9111 §5.1), since its Date is that of the stored response.
func Of(h http.Header, sentAt time.Time) Skew {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return Skew{}
	}
	ahead := date.Add(age(h)).Sub(sentAt)
	switch {
	case ahead.Truncate(Resolution).Abs() > Max:
		return Skew{}
	case ahead > -Resolution && ahead <= 0:
		return Skew{known: true} // the same second
	}
	return Skew{known: true, ahead: ahead + Resolution}
}

// age returns the Age of a response, or zero where it is missing, no number or
// longer than [Max].
func age(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(strings.TrimSpace(h.Get("Age")), 10, 32)
	if age := time.Duration(seconds) * time.Second; err == nil && age <= Max { // #nosec G115 -- 32 bits
		return age
	}
	return 0
}

// Known reports whether the provider's clock is known.
func (s Skew) Known() bool { return s.known }

// Ours returns a time of the provider's clock on ours.
func (s Skew) Ours(theirs time.Time) time.Time { return theirs.Add(-s.ahead) }

// Theirs returns a time of our clock on the provider's.
func (s Skew) Theirs(ours time.Time) time.Time { return ours.Add(s.ahead) }

// DiffersFrom reports whether two skews differ by more than tolerance.
func (s Skew) DiffersFrom(other Skew, tolerance time.Duration) bool {
	return (s.ahead - other.ahead).Abs() > tolerance
}
