package provider

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// oddity is what was odd about an expiry, in fixed words; "": nothing.
type oddity string

const (
	unreadable oddity = "cannot be read and counts as not given"
	misspelt   oddity = "is not of the kind that the descriptor names"
	zoneless   oddity = "has no time zone and is read as UTC"
	beyond     oddity = "is beyond any clock and is capped"
	negative   oddity = "is negative and counts as 0"
)

const (
	// leastEpoch tells a time from a span, in seconds: the year 2001, or 31
	// years from now.
	leastEpoch = 1e9
	// nearby is how far from now a number is likely to be a time.
	nearby = 10 * 365 * 24 * time.Hour
	// longestExpiry is more than any spelling of an expiry has, in bytes.
	longestExpiry = 1 << 10
)

// latest is the last second that RFC 3339 can write.
var latest = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// readExpiry reads one value: as the kind that the descriptor names, else in a
// spelling that is known from other endpoints. Nothing, null and "" are an
// expiry not given. now tells times from spans where the kind does not fit.
func readExpiry(value any, kind descriptor.ExpiryKind, now time.Time) (Expiry, oddity) {
	var text string
	switch v := value.(type) {
	case nil:
		return Expiry{}, ""
	case json.Number:
		text = v.String()
	case string:
		if text = strings.TrimSpace(v); text == "" {
			return Expiry{}, ""
		}
	}
	if len(text) > longestExpiry {
		return Expiry{}, unreadable
	}
	if amount, ok := readNumber(text); ok {
		return expiryOf(amount, cmp.Or(kind, descriptor.Seconds), now)
	}
	return spelt(text, kind)
}

// readNumber reads a number by JSON's grammar, and not Go's: no hexadecimal, no
// underscores, no NaN. What is too large for a float64 is infinite.
func readNumber(text string) (float64, bool) {
	if text == "" || strings.Trim(text[:1], digits+"-") != "" || !json.Valid([]byte(text)) {
		return 0, false
	}
	n, _ := strconv.ParseFloat(text, 64)
	return n, true
}

// expiryOf makes an expiry of a number.
func expiryOf(amount float64, kind descriptor.ExpiryKind, now time.Time) (Expiry, oddity) {
	if amount < 0 {
		e, _ := expiryOf(0, kind, now)
		return e, negative
	}
	likely := likelyKind(amount, kind, now)
	e := Expiry{Given: true}
	switch likely {
	case descriptor.Epoch:
		e.At = sinceEpoch(amount)
	case descriptor.EpochMS:
		e.At = sinceEpoch(amount / 1000)
	case descriptor.Milliseconds:
		e.In = span(amount, time.Millisecond)
	default:
		e.In = span(amount, time.Second)
	}
	switch {
	case e.In == math.MaxInt64, e.At.Equal(latest):
		return e, beyond
	case likely != kind:
		return e, misspelt
	}
	return e, ""
}

// likelyKind returns kind, unless the number makes sense only as another one.
func likelyKind(amount float64, kind descriptor.ExpiryKind, now time.Time) descriptor.ExpiryKind {
	seconds, millis := isNear(amount, now), isNear(amount/1000, now)
	switch {
	case seconds && (kind == descriptor.Seconds || kind == descriptor.EpochMS || kind == descriptor.RFC3339):
		return descriptor.Epoch
	case millis && kind != descriptor.EpochMS:
		return descriptor.EpochMS
	case kind == descriptor.RFC3339:
		return descriptor.Seconds
	}
	return kind
}

// isNear reports whether a number is likely to be a time, in seconds.
func isNear(seconds float64, now time.Time) bool {
	return seconds >= leastEpoch && sinceEpoch(seconds).Sub(now).Abs() < nearby
}

// span is that many units; at most what a time.Duration holds, 292 years.
func span(amount float64, unit time.Duration) time.Duration {
	nanos := amount * float64(unit)
	if nanos >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanos)
}

// sinceEpoch is to the millisecond: a float64 holds no more of a time of these
// days.
func sinceEpoch(seconds float64) time.Time {
	if seconds >= float64(latest.Unix()) {
		return latest
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).Round(time.Millisecond).UTC()
}
