package response

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/encoded"
	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A refresh token is never vended as an access token, whatever the pointers of
// a descriptor say. The name of a value, and the refresh tokens that are known,
// decide.

// maxTokens is the number of tokens that are searched for in one response.
const maxTokens = 16

// HoldsRefreshToken reports whether access is one of the refresh tokens, holds
// one, encoded or not, or has "refresh token" in it.
func HoldsRefreshToken(access redact.String, refresh ...redact.String) bool {
	text := access.Reveal()
	if names([]byte(text), "refreshtoken") {
		return true
	}
	all := encoded.New(text)
	return slices.ContainsFunc(refresh, func(token redact.String) bool {
		return !token.IsZero() && (text == token.Reveal() || all.Holds(token.Reveal()))
	})
}

// holdsRefresh reports whether an access token holds a refresh token of the
// same response, or the one that was sent.
func (q *Request) holdsRefresh(access string, refresh redact.String) bool {
	return HoldsRefreshToken(redact.New(access), append(q.refreshes, refresh, q.Refresh)...)
}

// maskTokens masks the tokens of a response wherever else it repeats them:
// those that the descriptor points at, and those that have such a name.
func (q *Request) maskTokens(v body.Values) {
	for _, at := range []string{accessAt(q.Descriptor), refreshAt(q.Descriptor)} {
		if token := v.Token(at); token != "" {
			q.tokens = append(q.tokens, token)
		}
	}
	q.maskExtra(v, q.Descriptor.Response.Extra)
	q.findTokens(v.Document)
	for _, token := range q.tokens {
		q.Mask.Add(token)
	}
}

// findTokens collects the first strings of a response whose names say that they
// are tokens, at any depth.
func (q *Request) findTokens(doc jsonpointer.Document) {
	found := 0
	for name, value := range doc.StringMembers {
		if !names(name, "token") || len(value) <= len(`""`) {
			continue
		}
		text := value.Text()
		if names(name, "refreshtoken") {
			q.refreshes = append(q.refreshes, redact.New(text))
		}
		if len(text) >= encoded.MinLength && unsafeToken(text) == "" && !names(name, "type") {
			q.tokens = append(q.tokens, text)
		}
		if found++; found == maxTokens {
			return
		}
	}
}

// holdsToken reports whether a text holds a token of the response, or a secret
// that was sent for it: a server may repeat what it was sent.
func (q *Request) holdsToken(text string) bool {
	readings := encoded.New(text)
	return slices.ContainsFunc(append(q.tokens, q.Refresh.Reveal()), readings.Holds) ||
		q.Mask.Any(readings.Holds)
}

// names reports whether a text has a name in it, in any case, with any
// separators between its letters, and with escapes of JSON.
func names(text []byte, name string) bool {
	matched := 0
	for len(text) > 0 {
		var c byte
		c, text = nextLetter(text)
		switch {
		case c == name[matched]:
			matched++
		case c == '_', c == '-', c == '.', c == ' ':
		case c == name[0]:
			matched = 1
		default:
			matched = 0
		}
		if matched == len(name) {
			return true
		}
	}
	return false
}

// nextLetter returns the first character of a text in lower case, and the rest.
func nextLetter(text []byte) (c byte, rest []byte) {
	const escape = len(`\u0072`)
	c, rest = text[0], text[1:]
	if c == '\\' && len(text) >= escape && text[1] == 'u' {
		code, err := strconv.ParseUint(string(text[2:escape]), 16, 8)
		if err == nil {
			c, rest = byte(code), text[escape:]
		}
	}
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c, rest
}

// maskExtra masks the further values wherever else a response repeats them.
func (q *Request) maskExtra(v body.Values, places map[string]string) {
	for _, place := range places {
		if text, ok := body.AsText(v.Lookup(place)); ok {
			q.Mask.AddValue(text)
		}
	}
}

func accessAt(d *descriptor.Descriptor) string {
	return cmp.Or(d.Response.Access, "/access_token")
}

func refreshAt(d *descriptor.Descriptor) string {
	return cmp.Or(d.Response.Refresh, "/refresh_token")
}

// unsafeToken returns why a token cannot stand in a header field: RFC 6749
// §A.12 without the space, which would end it.
func unsafeToken(token string) string {
	if len(token) > maxToken {
		return "is longer than 64 KiB"
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "has characters that would break a header"
	}
	return ""
}
