package template

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var values = Values{
	Value: func(name string) (string, error) {
		if name == "missing" {
			return "", errors.New("missing: no value")
		}
		return map[string]string{"id": "Al", "secrets.key": "k{id}", "hex": "6b6579"}[name], nil
	},
	Now: time.Date(2026, 11, 27, 9, 5, 7, 123456789, time.FixedZone("", 3600)),
}

func TestExpand(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "",
		"plain } { 1":                  "plain } { 1",
		`{"a":{"b":1}}`:                `{"a":{"b":1}}`,
		"{{id} {{1} {{":                "{id} {{1} {{",
		"ID {id}, {secrets.key}":       "ID Al, k{id}",
		"{id ':' id}":                  "Al:Al",
		"{lower(id)}{upper(id)}":       "alAL",
		"{base64(id ':' secrets.key)}": "QWw6a3tpZH0=",
		"{base64url(id)}":              "QWw",
		"{hex(sha256(''))}":            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		// RFC 4231 §4.3
		"{hex(hmac_sha256('Jefe', 'what do ya want for nothing?'))}": "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"{base64(hmac_sha256(unhex(hex), id))}":                      "Fi7UZ0+VqbHzfTQsc/SdYQCxLT61q8dTq4Ipp8ULyYM=",
		"{urlencode('a b/c')}":                                       "a%20b%2Fc",
		"{time('2006-01-02', '16h')} {time('unix', '-1h30m')}":       "2026-11-28 1795761307",
		"{time('unix')} {time('unix_ms')}":                           "1795766707 1795766707123",
		"{time('rfc3339')} {time('20060102T150405Z')}":               "2026-11-27T08:05:07Z 20261127T080507Z",
		"{number(time('unix'))}, {number('-0.5e3')}":                 "1795766707, -0.5e3",
		"{ id }": "{ id }",
	} {
		tmpl, err := Parse(text)
		if err != nil {
			t.Errorf("Parse(%q) failed: %v", text, err)
			continue
		}
		if got, err := tmpl.Expand(values); err != nil || got != want {
			t.Errorf("Expand(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"{id":                               "expected } after",
		"{id:1}":                            "expected } after",
		"{nothing(id)}":                     "no function nothing",
		"{base64()}":                        "expected a value",
		"{base64(id, id)}":                  "expected 1 arguments of base64, which has 2",
		"{hmac_sha256(id)}":                 "expected 2 arguments",
		"{sha256(id)}":                      "needs hex, base64",
		"{rsa_sha256(id)}":                  "needs hex, base64",
		"{id sha256(id)}":                   "needs hex, base64",
		"{lower(sha256(id))}":               "expected a text in lower",
		"{base64(id}":                       "expected )",
		"{base64('id)}":                     "expected ' at the end",
		"{time('unixtime')}":                "expected time('unix')",
		"{time(id)}":                        "expected time('unix')",
		"{time('unix', 'tomorrow')}":        "expected a duration as the offset",
		"{time('unix', id)}":                "expected a duration as the offset",
		"{time('unixtime', '24h')}":         "expected time('unix')",
		"{time('unix', '1h', '2h')}":        "expected 1 arguments of time",
		strings.Repeat("{id}", 33):          "at most 32",
		"{" + nested("hex", 12) + "}":       "at most 8 functions",
		"{id}" + strings.Repeat("x", 1<<14): "at most 32 placeholders and 16384 bytes",
	} {
		if _, err := Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%.40q) = %v, want an error with %q", text, err, want)
		}
	}
	if _, err := ParseBytes("{unbase64(id)}"); err != nil {
		t.Errorf("ParseBytes({unbase64(id)}) = %v, want no error", err)
	}
}

func nested(function string, depth int) string {
	return strings.Repeat(function+"(", depth) + "id" + strings.Repeat(")", depth)
}

func TestExpandReportsWhatIsMissing(t *testing.T) {
	for text, want := range map[string]string{
		"{base64(missing)}":            "missing: no value",
		"{base64(unhex(secrets.key))}": "unhex: the value is not hexadecimal",
		"{hex(rsa_sha256(id))}":        "rsa_sha256: nothing signs here",
		"{number(secrets.key)}":        "number: the value is not a number of JSON",
		"{number('007')}":              "number: the value is not a number of JSON",
		"{number('')}":                 "number: the value is not a number of JSON",
	} {
		tmpl, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tmpl.Expand(values); err == nil || err.Error() != want {
			t.Errorf("Expand(%q) = %v, want %q", text, err, want)
		}
	}
}

func TestUsesAndPlaces(t *testing.T) {
	tmpl, err := Parse("https://{a}.x/{b}?{hex(c a)}")
	if err != nil {
		t.Fatal(err)
	}
	const wantUses = "[{a true} {a false} {b true} {c false}]"
	if got := fmt.Sprint(tmpl.Uses()); got != wantUses {
		t.Errorf("Uses() = %s, want %s", got, wantUses)
	}
	const wantPlaces = "[{a https:// .x/{b}?{}} {b https://{a}.x/ ?{}} { https://{a}.x/{b}? }]"
	if got := fmt.Sprint(tmpl.Places()); got != wantPlaces {
		t.Errorf("Places() = %s, want %s", got, wantPlaces)
	}
}

// Whatever a template is, it does not grow without bounds, and what a value
// holds is never read as a template.
func FuzzExpand(f *testing.F) {
	for _, text := range []string{
		"", "{id}", "{{id}", `{"a":"{b}"}`, "{base64(id ':' secrets.key)}", "{hex(hmac_sha256(unhex(a), b 'c'))}",
		"{time('2006')}", "{id", "{a(b(c(d(", "{'", "}{", "{a b c}",
	} {
		f.Add(text, "{id}")
	}
	f.Fuzz(func(t *testing.T, text, value string) {
		tmpl, err := ParseBytes(text)
		if err != nil {
			return
		}
		calls := 0
		got, err := tmpl.Expand(Values{Value: func(string) (string, error) { calls++; return value, nil }})
		if err == nil && (len(got) > maxResult && !tmpl.IsLiteral() || calls == 0 && len(tmpl.Uses()) > 0) {
			t.Fatalf("Expand(%q) has %d bytes of %d values", text, len(got), calls)
		}
		for _, use := range tmpl.Uses() {
			if use.Name == "" || strings.ContainsAny(use.Name, "{}()' ,") {
				t.Fatalf("Uses(%q) has %q", text, use.Name)
			}
		}
	})
}
