package torture_test

import (
	"cmp"
	"fmt"
	"maps"
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

	astray  bool // if the row redirects clients: what reached the other host
	joined  int  // connections
	bytes   int
	secret  bool // the client secret was in the bytes
	foreign bool // a token from the other host was vended

	endless, unsafe     bool // a token without expiry or of more than a day; one with invalid characters
	quotes, showsSecret bool // an error shows a part of the body, or the client secret
}

// find summarises what the callers got and what the sites received.
func find(s *scene, calls []call) finding {
	f := finding{calls: len(calls), outcomes: map[string]int{}, asked: s.login.asked(), astray: s.row.redirects}
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
	f.unsafe = f.unsafe || strings.ContainsAny(c.access, "\r\n") || c.kind != "Bearer"
}

// words describes what a caller got. began is when the token was first
// requested.
func (c call) words(began time.Time) string {
	if c.err != nil {
		return wordsOf(c.err)
	}
	what := "a token"
	if c.kind != "Bearer" {
		what = "a token of type " + c.kind
	}
	if strings.ContainsAny(c.access, "\r\n") {
		what = "a token with the CR LF in it"
	}
	if c.access == foreignToken {
		what = "the other server's token"
	}
	if c.expires.IsZero() {
		return what + " for ever"
	}
	return what + lasting(c.expires.Sub(began))
}

// lasting returns a lifetime in its largest unit, or a bound below a minute.
func lasting(d time.Duration) string {
	const year = 365 * 24 * time.Hour
	switch {
	case d <= 0:
		return ", over before it came"
	case d > year:
		return fmt.Sprintf(" for %d years", d/year)
	case d > time.Hour-time.Minute:
		return fmt.Sprintf(" for %d h", d.Round(time.Hour)/time.Hour)
	case d > time.Minute-time.Second:
		return fmt.Sprintf(" for %d min", d.Round(time.Minute)/time.Minute)
	}
	const few = 10 * time.Second
	return fmt.Sprintf(" for less than %d s", (d/few+1)*few/time.Second)
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

// String returns a cell of the table. Times are bounds, because they differ
// between runs.
func (f finding) String() string {
	said := []string{f.outcome(), fmt.Sprintf("%s for %d calls", count(f.asked, "request"), f.calls)}
	switch {
	case f.quotes && f.showsSecret:
		said = append(said, "**its text shows the client secret and the body**")
	case f.quotes:
		said = append(said, "its text quotes the body")
	case f.showsSecret:
		said = append(said, "**its text shows the client secret**")
	}
	if f.astray {
		said = append(said, f.reach())
	}
	if f.calls > fewCalls {
		said = append(said, "the last "+f.waited())
	}
	return strings.Join(said, "; ")
}

// fewCalls is the number of calls in rows without a clock.
const fewCalls = 4

func (f finding) reach() string {
	text := count(f.bytes, "byte") + " went astray"
	if f.secret {
		text += ", **the client secret among them**"
	}
	return text
}

func (f finding) waited() string {
	bounds := []time.Duration{time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 60 * time.Second}
	text := "within 1 s"
	for _, b := range bounds {
		if f.took >= b {
			text = fmt.Sprintf("after more than %d s", b/time.Second)
		}
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
