package expiry

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

const (
	digits = "0123456789"
	lower  = "abcdefghijklmnopqrstuvwxyz"
)

// withZone are the layouts of a time that token endpoints are known to use,
// besides those of RFC 3339 and HTTP. Fractions of a second need no layout.
var withZone = []string{
	"2006-01-02T15:04:05Z0700", // ISO 8601, as many Java and PHP libraries do
	"2006-01-02T15:04:05Z07",
	"20060102T150405Z0700",
	"2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05 -07:00",
	"2006-01-02 15:04:05 -0700",
	"2006-01-02 15:04:05 -0700 UTC", // time.Time.String of Go
	"2006-01-02 15:04:05 UTC",
	time.RFC1123Z,
	"Mon Jan 2 2006 15:04:05 GMT-0700", // Date.toString of JavaScript
}

// withoutZone are layouts without a time zone.
var withoutZone = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05"}

// inZone reads a time without a time zone, or a date, whose midnight counts.
func inZone(text, zone string) (time.Time, bool) {
	for _, layout := range append([]string{time.DateOnly}, withoutZone...) {
		if at, err := time.Parse(layout+"Z07:00", text+zone); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// readText reads an expiry that is not a number.
func readText(text string, kind descriptor.ExpiryKind) (Expiry, Oddity) {
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err == nil {
		if kind == descriptor.RFC3339 {
			return endsAt(at, "")
		}
		return endsAt(at, Misspelt)
	}
	if at, ok := parseTime(text, withZone); ok {
		return endsAt(at, Misspelt)
	}
	if at, err := http.ParseTime(text); err == nil {
		return endsAt(at, Misspelt)
	}
	if at, ok := parseTime(text, withoutZone); ok {
		return endsAt(at, Zoneless)
	}
	life, ok := parseSpan(strings.ToLower(text))
	switch {
	case !ok:
		return Expiry{}, Unreadable
	case life < 0:
		return Expiry{Given: true}, Negative
	}
	return Expiry{Given: true, In: life}, Misspelt
}

// endsAt returns an absolute expiry. The year 1 counts as a time that is not
// given: it is the zero value of several languages.
func endsAt(at time.Time, odd Oddity) (Expiry, Oddity) {
	if at.Year() <= 1 {
		return Expiry{}, Unreadable
	}
	return Expiry{Given: true, At: at.UTC()}, odd
}

func parseTime(text string, layouts []string) (time.Time, bool) {
	text, _, _ = strings.Cut(text, " (") // "(Coordinated Universal Time)"
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

// parseSpan reads "1h30m", "01:00:00", "1.00:00:00" (.NET), "PT1H" (ISO 8601)
// and "60 minutes".
func parseSpan(text string) (time.Duration, bool) {
	if life, err := time.ParseDuration(text); err == nil {
		return life, true
	}
	if strings.Contains(text, ":") {
		return parseClock(text)
	}
	if iso, ok := strings.CutPrefix(text, "p"); ok {
		days, rest, _ := strings.Cut(iso, "t")
		return parseUnits(days + rest)
	}
	return parseUnits(text)
}

// parseClock reads hours, minutes and seconds, with days before them or not.
func parseClock(text string) (time.Duration, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, false
	}
	days, hours, found := strings.Cut(parts[0], ".")
	if !found {
		days, hours = "0", parts[0]
	}
	return parseUnits(days + "d" + hours + "h" + parts[1] + "m" + parts[2] + "s")
}

// units are the units of a lifetime, by each of their names.
var units = map[string]time.Duration{
	"ms": time.Millisecond, "milliseconds": time.Millisecond,
	"s": time.Second, "sec": time.Second, "secs": time.Second, "second": time.Second, "seconds": time.Second,
	"m": time.Minute, "min": time.Minute, "mins": time.Minute, "minute": time.Minute, "minutes": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hrs": time.Hour, "hour": time.Hour, "hours": time.Hour,
	"d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour,
}

// parseUnits adds up numbers with their units: "1 day 2 hours", "1d2h".
func parseUnits(text string) (total time.Duration, ok bool) {
	for rest := strings.TrimSpace(text); rest != ""; ok = true {
		word := strings.TrimLeft(rest, digits+".")
		amount := rest[:len(rest)-len(word)]
		word = strings.TrimSpace(word)
		rest = strings.TrimLeft(word, lower)
		word = word[:len(word)-len(rest)]
		rest = strings.TrimSpace(rest)
		n, err := strconv.ParseFloat(amount, 64)
		unit, known := units[word]
		if err != nil || !known {
			return 0, false
		}
		total += min(span(n, unit), math.MaxInt64-total)
	}
	return total, ok
}

// span returns that many units; at most what a time.Duration holds, 292 years.
func span(amount float64, unit time.Duration) time.Duration {
	nanos := amount * float64(unit)
	if nanos >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanos)
}
