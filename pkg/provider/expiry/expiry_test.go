package expiry_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
)

var now = time.Date(2026, time.November, 22, 6, 0, 0, 0, time.UTC)

// hour is 07:00 of the same day, at which most expiries of the tests end.
var hour = now.Add(time.Hour)

func in(d time.Duration) expiry.Expiry { return expiry.Expiry{Given: true, In: d} }

func at(t time.Time) expiry.Expiry { return expiry.Expiry{Given: true, At: t} }

func TestRead(t *testing.T) {
	none := expiry.Expiry{}
	latest := time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
	for name, c := range map[string]struct {
		value any
		kind  descriptor.ExpiryKind
		want  expiry.Expiry
		odd   expiry.Oddity
	}{
		"nothing":                  {nil, "", none, ""},
		"an empty text":            {" ", descriptor.RFC3339, none, ""},
		"seconds":                  {json.Number("3600"), descriptor.Seconds, in(time.Hour), ""},
		"the default kind":         {json.Number("3600"), "", in(time.Hour), ""},
		"seconds as text":          {"3600", descriptor.Seconds, in(time.Hour), ""},
		"seconds with an exponent": {json.Number("3.6e3"), descriptor.Seconds, in(time.Hour), ""},
		"zero":                     {json.Number("0"), descriptor.Seconds, in(0), ""},
		"negative":                 {json.Number("-1"), descriptor.Seconds, in(0), expiry.Negative},
		"a negative time":          {json.Number("-1"), descriptor.Epoch, at(time.Unix(0, 0).UTC()), expiry.Negative},
		"a hundred years": {json.Number("3153600000000"), descriptor.Milliseconds, in(876000 * time.Hour),
			""},
		"beyond any span":  {json.Number("1e300"), descriptor.Seconds, in(math.MaxInt64), expiry.Beyond},
		"beyond a float64": {json.Number("1e999"), descriptor.Seconds, in(math.MaxInt64), expiry.Beyond},
		"beyond any time":  {json.Number("1e300"), descriptor.Epoch, at(latest), expiry.Beyond},
		"milliseconds":     {json.Number("3600000"), descriptor.Milliseconds, in(time.Hour), ""},
		"minutes":          {json.Number("60"), descriptor.Minutes, in(time.Hour), ""},
		"minutes as text":  {"60", descriptor.Minutes, in(time.Hour), ""},
		"hours":            {json.Number("1.5"), descriptor.Hours, in(90 * time.Minute), ""},
		"epoch":            {json.Number("1795330800"), descriptor.Epoch, at(hour), ""},
		"epoch with a fraction": {json.Number("1795330800.25"), descriptor.Epoch,
			at(hour.Add(250 * time.Millisecond)), ""},
		"epoch in milliseconds": {json.Number("1795330800001"), descriptor.EpochMS,
			at(hour.Add(time.Millisecond)), ""},
		"epoch for seconds":         {json.Number("1795330800"), descriptor.Seconds, at(hour), expiry.Misspelt},
		"epoch for minutes":         {json.Number("1795330800"), descriptor.Minutes, at(hour), expiry.Misspelt},
		"milliseconds for hours":    {json.Number("1795330800000"), descriptor.Hours, at(hour), expiry.Misspelt},
		"a text for minutes":        {"PT1H", descriptor.Minutes, in(time.Hour), expiry.Misspelt},
		"beyond any span of hours":  {json.Number("1e300"), descriptor.Hours, in(math.MaxInt64), expiry.Beyond},
		"milliseconds for an epoch": {json.Number("1795330800000"), descriptor.Epoch, at(hour), expiry.Misspelt},
		"an epoch for a text":       {json.Number("1795330800"), descriptor.RFC3339, at(hour), expiry.Misspelt},
		"seconds for a text":        {json.Number("3600"), descriptor.RFC3339, in(time.Hour), expiry.Misspelt},
		"RFC 3339":                  {"2026-11-22T07:00:00Z", descriptor.RFC3339, at(hour), ""},
		"RFC 3339 in lower case":    {" 2026-11-22t07:00:00z ", descriptor.RFC3339, at(hour), ""},
		"RFC 3339 with an offset":   {"2026-11-22T08:00:00+01:00", descriptor.RFC3339, at(hour), ""},
		"RFC 3339 in nanoseconds": {"2026-11-22T07:00:00.123456789Z", descriptor.RFC3339, at(hour.Add(123456789)),
			""},
		"RFC 3339 for seconds":  {"2026-11-22T07:00:00Z", descriptor.Seconds, at(hour), expiry.Misspelt},
		"ISO 8601":              {"2026-11-22T07:00:00+0000", descriptor.RFC3339, at(hour), expiry.Misspelt},
		"a date of HTTP":        {"Sun, 22 Nov 2026 07:00:00 GMT", descriptor.RFC3339, at(hour), expiry.Misspelt},
		"no time zone":          {"2026-11-22 07:00:00", descriptor.RFC3339, at(hour), expiry.Zoneless},
		"a span of Go":          {"1h0m0s", descriptor.Seconds, in(time.Hour), expiry.Misspelt},
		"a span of .NET":        {"1.01:00:00", descriptor.Seconds, in(25 * time.Hour), expiry.Misspelt},
		"a span of ISO 8601":    {"PT1H", descriptor.Seconds, in(time.Hour), expiry.Misspelt},
		"a span in words":       {"60 minutes", descriptor.Seconds, in(time.Hour), expiry.Misspelt},
		"a negative span":       {"-1h", descriptor.Seconds, in(0), expiry.Negative},
		"a day without an hour": {"2026-11-22", descriptor.RFC3339, none, expiry.Unreadable},
		"the year 1":            {"0001-01-01T00:00:00Z", descriptor.RFC3339, none, expiry.Unreadable},
		"a word":                {"soon", descriptor.Seconds, none, expiry.Unreadable},
		"NaN":                   {"NaN", descriptor.Seconds, none, expiry.Unreadable},
		"hexadecimal":           {"0x10", descriptor.Seconds, none, expiry.Unreadable},
		"true":                  {true, descriptor.Seconds, none, expiry.Unreadable},
		"a long text":           {strings.Repeat("9", 2000), descriptor.Seconds, none, expiry.Unreadable},
	} {
		t.Run(name, func(t *testing.T) {
			got, odd := expiry.Read(c.value, c.kind, now)
			if got.Given != c.want.Given || got.In != c.want.In || !got.At.Equal(c.want.At) || odd != c.odd {
				t.Errorf("Read(%.40v, %q) = %+v, %q, want %+v, %q", c.value, c.kind, got, odd, c.want, c.odd)
			}
		})
	}
}

func TestReadAtZone(t *testing.T) {
	oslo := time.FixedZone("", int(time.Hour/time.Second))
	for text, want := range map[string]time.Time{
		"2026-11-28":           time.Date(2026, time.November, 28, 0, 0, 0, 0, oslo),
		"2026-11-28T06:30:00":  time.Date(2026, time.November, 28, 6, 30, 0, 0, oslo),
		"2026-11-28T06:30:00Z": time.Date(2026, time.November, 28, 6, 30, 0, 0, time.UTC),
	} {
		got, odd := expiry.ReadAt(text, descriptor.Instant{Kind: descriptor.RFC3339, Zone: "+01:00"}, now)
		if !got.At.Equal(want) || odd != "" {
			t.Errorf("ReadAt(%s) = %v, %q, want %v without an oddity", text, got.At, odd, want)
		}
	}
	got, odd := expiry.ReadAt("2026-11", descriptor.Instant{Kind: descriptor.RFC3339, Zone: "+01:00"}, now)
	if got.Given || odd != expiry.Unreadable {
		t.Errorf("ReadAt(2026-11) = %+v, %q, want none that can be read", got, odd)
	}
}

func TestReadReset(t *testing.T) {
	for value, want := range map[string]expiry.Expiry{
		"60":         in(time.Minute),
		"1795330800": at(hour),
		// A time far from now, which cannot be a span.
		"1000000000": at(time.Unix(1e9, 0)),
		"":           {},
		"soon":       {},
	} {
		got := expiry.ReadReset(value, descriptor.Seconds, now)
		if got.Given != want.Given || got.In != want.In || !got.At.Equal(want.At) {
			t.Errorf("ReadReset(%s) = %+v, want %+v", value, got, want)
		}
	}
}

func TestOfJWT(t *testing.T) {
	jwt := func(claims string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".sig"
	}
	for text, want := range map[string]expiry.Expiry{
		jwt(`{"exp":1795330800}`):                                       at(hour),
		jwt(`{"iat":1795327200.5,"exp":1795330800.5}`):                  at(hour.Add(500 * time.Millisecond)),
		jwt(`{"exp":" 1795330800 "}`):                                   at(hour),
		strings.Replace(jwt(`{"exp":1795330800}`), ".sig", "==.sig", 1): at(hour),
		jwt(`{}`):           {},
		jwt(`{"exp":"x"}`):  {},
		jwt(`{"exp":-1}`):   {},
		jwt(`{"exp":null}`): {},
		jwt(`not JSON`):     {},
		"opaque":            {},
		"a.b.c":             {},
		"a.b":               {},
	} {
		if got := expiry.OfJWT(text); got.Given != want.Given || !got.At.Equal(want.At) {
			t.Errorf("OfJWT(%s) = %+v, want %+v", text, got, want)
		}
	}
}
