package response

import (
	"strconv"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/jsonpointer"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A refresh token is never vended as an access token, whatever the pointers of
// a descriptor say. The name of a value, and the refresh tokens that are known,
// decide.

// shortestPart is the length from which a refresh token is searched for inside
// another text, in bytes. A shorter one may stand there by chance.
const shortestPart = 8

// HoldsRefreshToken reports whether access is one of the refresh tokens, or
// holds one, or has "refresh token" in it.
func HoldsRefreshToken(access redact.String, refresh ...redact.String) bool {
	text := access.Reveal()
	for _, token := range refresh {
		part := token.Reveal()
		if token.IsZero() {
			continue
		}
		if text == part || len(part) >= shortestPart && strings.Contains(text, part) {
			return true
		}
	}
	return namesRefresh([]byte(text))
}

// holdsRefresh reports whether an access token holds a refresh token of the
// same response, or the one that was sent.
func (q *Request) holdsRefresh(doc jsonpointer.Document, access string, refresh redact.String) bool {
	token := redact.New(access)
	if HoldsRefreshToken(token, refresh, q.Refresh) {
		return true
	}
	for name, text := range doc.StringMembers {
		if namesRefresh(name) && HoldsRefreshToken(token, redact.New(text.Text())) {
			return true
		}
	}
	return false
}

// namesRefresh reports whether a text has "refresh token" in it, in any case,
// with any separators between its letters, and with escapes of JSON.
func namesRefresh(text []byte) bool {
	const name = "refreshtoken"
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
