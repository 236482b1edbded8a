package sigv4

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxSkew is how far a request's date may be from the verifier's clock, as at
// AWS.
const MaxSkew = 5 * time.Minute

// Claim is what a request says of its own signature. Nothing of it is verified.
type Claim struct {
	keyID, signature string
	signed           []string // names of headers
	date             string   // like 20260131T235959Z
}

// Body is what a signature covers of a request's body.
type Body struct {
	Length int64
	SHA256 string // of the whole body, in hex
}

// day is the day that the signing key is derived for.
func (c Claim) day() string { return c.date[:len(dayFormat)] }

// checkHeaders refuses a claim without the headers that must be signed.
func (c Claim) checkHeaders(h http.Header) error {
	for i, name := range c.signed[1:] {
		if c.signed[i] >= name {
			return errors.New("SignedHeaders: expected names in order, each once")
		}
	}
	for _, name := range [...]string{hostHeader, dateHeader, tokenHeader} {
		isRequired := name != tokenHeader || len(h[httpToken]) > 0
		if isRequired && !slices.Contains(c.signed, name) {
			return errors.New("SignedHeaders: expected " + name + " among them")
		}
	}
	return nil
}

// setDate reads the request's date, and refuses one that is not on the day of
// the credential's scope or too far from now.
func (c *Claim) setDate(values []string, day string, now time.Time) error {
	if len(values) != 1 {
		return errors.New("x-amz-date: expected one")
	}
	c.date = values[0]
	at, err := parseDate(c.date)
	if err != nil || c.day() != day {
		return errors.New("x-amz-date: expected a time like 20260131T235959Z, on the day of the credential's scope")
	}
	if now.Sub(at).Abs() > MaxSkew {
		return errors.New("x-amz-date: more than five minutes from this machine's clock")
	}
	return nil
}

// parseDate reads a time like 20260131T235959Z, in the form of RFC 3339: that
// one package time reads in a third of the time.
func parseDate(date string) (time.Time, error) {
	if len(date) != len(dateFormat) {
		return time.Time{}, errors.New("another length")
	}
	return time.Parse(time.RFC3339, date[:4]+"-"+date[4:6]+"-"+date[6:11]+":"+date[11:13]+":"+date[13:])
}

// Target returns the path and the query of a request as they arrived, neither
// decoded nor cleaned. Scheme and host, which some clients send before them,
// are taken off: net/http has made them the Host.
func Target(r *http.Request) (path, query string) {
	target := r.RequestURI
	if _, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		target = strings.TrimLeftFunc(rest, func(c rune) bool { return c != '/' && c != '?' })
	}
	path, query, _ = strings.Cut(target, "?")
	return path, query
}
