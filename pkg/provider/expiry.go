package provider

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// largestWhole is the largest number that every JSON reader agrees on (RFC 8259 §6). Beyond it, a number was never meant as a time.
const largestWhole = 1 << 53

var numberForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`) })

// readExpiry reads one value as that kind of expiry. Nothing, null and "" are an expiry not given; ok is false where the value is no time at all.
func readExpiry(value any, kind ExpiryKind) (e Expiry, ok bool) {
	text, isText := value.(string)
	text = strings.TrimSpace(text)
	if value == nil || isText && text == "" {
		return Expiry{}, true
	}
	if kind == RFC3339 {
		at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
		return Expiry{Given: err == nil, At: at}, err == nil
	}
	if number, isNumber := value.(json.Number); isNumber {
		text = number.String()
	}
	amount, ok := readNumber(text)
	if !ok {
		return Expiry{}, false
	}
	return expiryOf(amount, kind), true
}

// expiryOf makes an expiry of a number that readNumber let pass.
func expiryOf(amount float64, kind ExpiryKind) Expiry {
	switch cmp.Or(kind, Seconds) {
	case Milliseconds:
		return Expiry{Given: true, In: span(amount, time.Millisecond)}
	case Epoch:
		return Expiry{Given: true, At: sinceEpoch(amount)}
	case EpochMS:
		return Expiry{Given: true, At: sinceEpoch(amount / 1000)}
	}
	return Expiry{Given: true, In: span(amount, time.Second)}
}

// readNumber reads a number that is neither negative nor absurd. JSON's grammar, and not Go's: no hex, no underscores, no NaN.
func readNumber(text string) (float64, bool) {
	if !numberForm().MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || n > largestWhole {
		return 0, false
	}
	return n, true
}

// span is that many units; at most what a time.Duration holds, 292 years.
func span(amount float64, unit time.Duration) time.Duration {
	nanos := amount * float64(unit)
	if nanos >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(nanos)
}

// sinceEpoch is to the millisecond: a float64 holds no more of a time of these days.
func sinceEpoch(seconds float64) time.Time {
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9)).Round(time.Millisecond).UTC()
}
