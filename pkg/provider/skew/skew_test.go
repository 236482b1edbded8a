package skew_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// sentAt is when the requests of the tests were sent, on our clock.
var sentAt = time.Date(2026, time.November, 22, 12, 0, 0, 400e6, time.UTC)

// header returns the header of a response whose Date is ahead of sentAt.
func header(ahead time.Duration, age string) http.Header {
	h := http.Header{"Date": {sentAt.Add(ahead).Format(http.TimeFormat)}}
	if age != "" {
		h.Set("Age", age)
	}
	return h
}

func TestOf(t *testing.T) {
	for name, c := range map[string]struct {
		header http.Header
		known  bool
		want   time.Duration // by which a time of the provider's clock is later than on ours, to a second
	}{
		"the same clock":           {header(0, ""), true, 0},
		"ahead":                    {header(7*time.Minute, ""), true, 7 * time.Minute},
		"behind":                   {header(-7*time.Minute, ""), true, -7 * time.Minute},
		"an hour ahead":            {header(skew.Max, ""), true, skew.Max},
		"an hour behind":           {header(-skew.Max, ""), true, -skew.Max},
		"more than an hour ahead":  {header(skew.Max+2*time.Second, ""), false, 0},
		"more than an hour behind": {header(-skew.Max-2*time.Second, ""), false, 0},
		"two hours ahead":          {header(2*time.Hour, ""), false, 0},
		"no Date":                  {http.Header{}, false, 0},
		"a Date that is none":      {http.Header{"Date": {"soon"}}, false, 0},
		"the zero value of Go":     {http.Header{"Date": {time.Time{}.Format(http.TimeFormat)}}, false, 0},
		// RFC 9111 §5.1: a cache adds how long ago the origin made the
		// response.
		"five minutes in a cache":               {header(-5*time.Minute, "300"), true, 0},
		"five minutes in a cache, and ahead":    {header(2*time.Minute, "300"), true, 7 * time.Minute},
		"an Age that is negative":               {header(time.Minute, "-60"), true, time.Minute},
		"an Age that is no number":              {header(time.Minute, "1h"), true, time.Minute},
		"an Age longer than any known response": {header(time.Minute, "4294967296"), true, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			got := skew.Of(c.header, sentAt)
			if got.Known() != c.known {
				t.Fatalf("Of(%v).Known() = %t, want %t", c.header, got.Known(), c.known)
			}
			theirs := sentAt.Add(time.Hour)
			if off := theirs.Sub(got.Ours(theirs)) - c.want; off < 0 || off > skew.Resolution {
				t.Errorf("Of(%v).Ours(%v) = %v, want %v earlier, or up to a second more",
					c.header, theirs, got.Ours(theirs), c.want)
			}
			if back := got.Theirs(got.Ours(theirs)); !back.Equal(theirs) {
				t.Errorf("Theirs(Ours(%v)) = %v, want the same", theirs, back)
			}
		})
	}
}

func TestDiffersFrom(t *testing.T) {
	ahead, same := skew.Of(header(time.Minute, ""), sentAt), skew.Of(header(0, ""), sentAt)
	for name, c := range map[string]struct {
		a, b skew.Skew
		want bool
	}{
		"unknown and unknown": {skew.Skew{}, skew.Skew{}, false},
		"unknown and none":    {skew.Skew{}, same, false},
		"unknown and ahead":   {skew.Skew{}, ahead, true},
		"ahead and none":      {ahead, same, true},
		"ahead and ahead":     {ahead, ahead, false},
	} {
		if got := c.a.DiffersFrom(c.b, 5*time.Second); got != c.want {
			t.Errorf("%s: DiffersFrom() = %t, want %t", name, got, c.want)
		}
	}
}
