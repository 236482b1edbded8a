package provider

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	longestDescription = 200 // bytes
	longestCode        = 64  // bytes
	longParam          = 8   // from that many bytes on, a parameter's value may be a secret
)

// mask is every secret that a request or its answer carried.
type mask []string

func (m *mask) add(secret string) {
	if secret != "" {
		*m = append(*m, secret)
	}
}

// addLong adds a value of which nobody said that it is a secret, unless it is too short to be one.
func (m *mask) addLong(value string) {
	if len(value) >= longParam {
		m.add(value)
	}
}

// line makes one printable line of what a server said: secrets masked, also where they stand URL-encoded; only the characters of RFC 6749 §A.8; at most longest bytes.
func (m mask) line(said string, longest int) string {
	hidden, err := m.pattern()
	if err != nil {
		return "" // a secret that no pattern can hold: rather say nothing
	}
	text := hidden.ReplaceAllLiteralString(said, redact.Mask)
	text = strings.Join(strings.Fields(strings.Map(printable, text)), " ")
	pieces := strings.Split(text, redact.Mask)
	for i, piece := range pieces { // once more: what was dropped may have stood inside a secret
		pieces[i] = hidden.ReplaceAllLiteralString(piece, redact.Mask)
	}
	text = strings.Join(pieces, redact.Mask)
	return text[:min(len(text), longest)]
}

// pattern matches each secret in each of its spellings, the longest first. With no secret it matches nothing.
func (m mask) pattern() (*regexp.Regexp, error) {
	var spellings []string
	for _, secret := range m {
		query := url.QueryEscape(secret)
		for _, s := range []string{secret, query, url.PathEscape(secret), strings.ReplaceAll(query, "+", "%20"), strings.Map(printable, secret)} {
			if s = strings.TrimSpace(s); s != "" {
				spellings = append(spellings, s)
			}
		}
	}
	if len(spellings) == 0 {
		return regexp.Compile(`[^\s\S]`)
	}
	slices.SortFunc(spellings, func(a, b string) int { return len(b) - len(a) })
	for i, s := range spellings {
		spellings[i] = regexp.QuoteMeta(s)
		if strings.Contains(s, "%") {
			spellings[i] = "(?i:" + spellings[i] + ")" // %2f is %2F
		}
	}
	return regexp.Compile(strings.Join(slices.Compact(spellings), "|"))
}

// printable maps to the characters that an error_description may have: no quote, no backslash, nothing but ASCII.
func printable(r rune) rune {
	switch {
	case r == '"':
		return '\''
	case r == '\\':
		return '/'
	case r == '\n' || r == '\r' || r == '\t':
		return ' '
	case r < ' ' || r == 0x7f:
		return -1
	case r > '~':
		return '?'
	}
	return r
}
