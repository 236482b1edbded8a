package torture_test

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// finding is what was measured of one contender in one row.
type finding struct {
	calls    int
	outcomes map[string]int // what callers got, in words, and how many callers
	asked    int            // requests that reached the endpoint
	took     time.Duration  // from the first call to the last response

	joined  int  // connections to the other hosts
	bytes   int  // that they received
	secret  bool // the client secret was in the bytes
	foreign bool // a token from the other host was vended

	endless, unsafe     bool // a token without expiry or of more than a day; one with invalid characters
	quotes, showsSecret bool // an error shows a part of the body, or the client secret
}

// find summarises what the callers got and what the sites received.
func find(s *scene, calls []call) finding {
	f := finding{calls: len(calls), outcomes: map[string]int{}, asked: s.login.asked()}
	began := map[string]time.Time{}
	for _, c := range calls {
		if first, seen := began[c.access]; !seen || c.began.Before(first) {
			began[c.access] = c.began
		}
	}
	for _, c := range calls {
		f.outcomes[c.words(began[c.access])]++
		f.took = max(f.took, c.answered.Sub(calls[0].began))
		f.look(c, began[c.access])
	}
	for _, other := range []*site{s.elsewhere, s.clear} {
		joined, bytes, secret := other.reached()
		f.joined += joined
		f.bytes += bytes
		f.secret = f.secret || secret
	}
	return f
}

// look finds what is wrong with the result of one caller.
func (f *finding) look(c call, began time.Time) {
	if c.err != nil {
		text := fmt.Sprintf("%v %+v", c.err, c.err)
		f.quotes = f.quotes || strings.Contains(text, canary) || strings.Contains(text, rightToken)
		f.showsSecret = f.showsSecret || showsSecret(text)
		return
	}
	f.foreign = f.foreign || c.access == foreignToken
	f.endless = f.endless || c.expires.IsZero() || c.expires.Sub(began) > 24*time.Hour+time.Minute
	f.unsafe = f.unsafe || strings.ContainsAny(c.access, "\r\n") || !c.bearer()
}

// words describes what a caller got. began is when the token was first
// requested.
func (c call) words(began time.Time) string {
	if c.err != nil {
		return wordsOf(c.err)
	}
	lifetime := "for ever"
	if !c.expires.IsZero() {
		lifetime = lasting(c.expires.Sub(began))
	}
	switch {
	case c.access == "":
		return "no token and no error"
	case strings.ContainsAny(c.access, "\r\n"):
		return lifetime + ", with CR LF"
	case c.access == foreignToken:
		return "the other's token"
	case !c.bearer():
		return lifetime + ", of type " + c.kind
	}
	return lifetime
}

// bearer reports whether a token is of type Bearer, in any case (RFC 6749
// §5.1), or without a type.
func (v vended) bearer() bool { return v.kind == "" || strings.EqualFold(v.kind, "Bearer") }

// lasting returns a lifetime in its largest unit, or a bound below a minute.
func lasting(d time.Duration) string {
	const year = 365 * 24 * time.Hour
	switch {
	case d == math.MaxInt64:
		return "over 292 years" // as long as a Duration can be
	case d <= 0:
		return "over at once"
	case d > year:
		return fmt.Sprintf("%d years", d.Round(year)/year)
	case d > time.Hour-time.Minute:
		return fmt.Sprintf("%d h", d.Round(time.Hour)/time.Hour)
	case d > time.Minute-time.Second:
		return fmt.Sprintf("%d min", d.Round(time.Minute)/time.Minute)
	}
	const few = 10 * time.Second
	return fmt.Sprintf("< %d s", (d/few+1)*few/time.Second)
}

// outcome returns what the callers got, the most frequent first.
func (f finding) outcome() string {
	words := slices.SortedFunc(maps.Keys(f.outcomes), func(a, b string) int {
		return cmp.Or(f.outcomes[b]-f.outcomes[a], strings.Compare(a, b))
	})
	if len(words) == 1 {
		return words[0]
	}
	for i, w := range words {
		words[i] = fmt.Sprintf("%d × %s", f.outcomes[w], w)
	}
	return strings.Join(words, ", ")
}

// String returns a cell of a table. Times are bounds, because they differ
// between runs.
func (f finding) String() string {
	parts := []string{fmt.Sprintf("%s (%d)", f.outcome(), f.asked)}
	if f.calls > fewCalls {
		parts[0] += ", " + f.waited()
	}
	if f.quotes {
		parts = append(parts, "body logged")
	}
	if f.showsSecret {
		parts = append(parts, "**secret logged**")
	}
	switch {
	case f.secret:
		parts = append(parts, "**secret sent**")
	case f.bytes > 0:
		parts = append(parts, "request sent")
	}
	return strings.Join(parts, "; ")
}

// fewCalls is the number of calls in rows without a clock.
const fewCalls = 4

// waited returns how long the last caller waited.
func (f finding) waited() string {
	text := "< 1 s"
	for _, seconds := range []time.Duration{1, 5, 10, 20, 60} {
		if f.took >= seconds*time.Second {
			text = fmt.Sprintf("> %d s", seconds)
		}
	}
	return text
}

// broken returns the promises of tokenvend that a finding breaks.
func (f finding) broken(r row) (promises []string) {
	for promise, kept := range map[string]bool{
		"callers get " + r.ours:                                   f.outcome() == r.ours,
		"one request, however many ask":                           f.asked == 1,
		"no connection to another host":                           f.joined == 0 && f.bytes == 0 && !f.secret,
		"no token of another host":                                !f.foreign,
		"no token for ever":                                       !f.endless,
		"no token that breaks a header, nor of a type but Bearer": !f.unsafe,
		"no part of a body in an error":                           !f.quotes,
		"no client secret in an error":                            !f.showsSecret,
	} {
		if !kept {
			promises = append(promises, promise)
		}
	}
	return promises
}
