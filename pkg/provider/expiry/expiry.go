// Package expiry reads lifetimes as token endpoints write them: relative or
// absolute, as numbers or as text, in the spellings that are known.
package expiry

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

const (
	// leastEpoch is the smallest number of seconds that is read as a time: the
	// year 2001. As a span it would be 31 years.
	leastEpoch = 1e9
	// nearby is how far from now a number still counts as a time.
	nearby = 10 * 365 * 24 * time.Hour
	// maxText is more than any spelling of an expiry has, in bytes.
	maxText = 1 << 10
)

// latest is the last second that RFC 3339 can express.
var latest = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// ReadAt reads the value of an instant of the descriptor, as [Read] does. A
// time without a time zone is in that of the instant.
func ReadAt(value any, at descriptor.Instant, now time.Time) (Expiry, Oddity) {
	if text, isText := value.(string); isText && at.Zone != "" && len(text) <= maxText {
		if end, ok := inZone(strings.TrimSpace(text), at.Zone); ok {
			return endsAt(end, "")
		}
	}
	return Read(value, at.Kind, now)
}

// Read reads one JSON value: as the kind that the descriptor names, or else in
// a spelling that other endpoints use. A missing value, null and "" are an
// expiry that is not given. Where the kind does not fit, now tells a time from
// a span.
func Read(value any, kind descriptor.ExpiryKind, now time.Time) (Expiry, Oddity) {
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
	if len(text) > maxText {
		return Expiry{}, Unreadable
	}
	if amount, ok := parseNumber(text); ok {
		return fromNumber(amount, cmp.Or(kind, descriptor.Seconds), now)
	}
	return readText(text, kind)
}

// ReadReset reads the time at which a rate limit ends, as [Read] does. A number
// of seconds that is too large for a span counts as a time, near now or not.
func ReadReset(value string, kind descriptor.ExpiryKind, now time.Time) Expiry {
	e, _ := Read(value, kind, now)
	if kind == descriptor.Seconds && e.In >= leastEpoch*time.Second {
		seconds, _ := parseNumber(value)
		e, _ = fromNumber(seconds, descriptor.Epoch, now)
	}
	return e
}

// parseNumber reads a number by the grammar of JSON, not of Go: no hexadecimal,
// no underscores, no NaN. What is too large for a float64 is infinite.
func parseNumber(text string) (float64, bool) {
	if text == "" || strings.Trim(text[:1], digits+"-") != "" || !json.Valid([]byte(text)) {
		return 0, false
	}
	n, _ := strconv.ParseFloat(text, 64)
	return n, true
}

// fromNumber returns the expiry that a number means.
func fromNumber(amount float64, kind descriptor.ExpiryKind, now time.Time) (Expiry, Oddity) {
	if amount < 0 {
		e, _ := fromNumber(0, kind, now)
		return e, Negative
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
	case descriptor.Minutes:
		e.In = span(amount, time.Minute)
	case descriptor.Hours:
		e.In = span(amount, time.Hour)
	default:
		e.In = span(amount, time.Second)
	}
	switch {
	case e.In == math.MaxInt64, e.At.Equal(latest):
		return e, Beyond
	case likely != kind:
		return e, Misspelt
	}
	return e, ""
}

// likelyKind returns kind, unless the number makes sense only as another one.
func likelyKind(amount float64, kind descriptor.ExpiryKind, now time.Time) descriptor.ExpiryKind {
	seconds, millis := isNear(amount, now), isNear(amount/1000, now)
	switch {
	case seconds && kind != descriptor.Milliseconds && kind != descriptor.Epoch:
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

// sinceEpoch returns the time that many seconds after 1970, to the millisecond:
// a float64 holds no more of it.
func sinceEpoch(seconds float64) time.Time {
	if seconds >= float64(latest.Unix()) {
		return latest
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).Round(time.Millisecond).UTC()
}
