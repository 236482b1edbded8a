package provider

import (
	"slices"
	"strconv"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A refresh token is never vended as an access token, whatever the response
// pointers of a descriptor say. Which value of an answer is one is decided here
// by its name and by what is known already, not by the descriptor alone.

// shortestPart is the shortest refresh token, in bytes, that is looked for
// inside of another text. A shorter one may stand there by chance.
const shortestPart = 8

// HoldsRefreshToken reports whether access is one of the refresh tokens, or a
// text that one of them is a part of, encoded or not.
func HoldsRefreshToken(access redact.String, refresh ...redact.String) bool {
	text := access.Reveal()
	if names([]byte(text), "refreshtoken") {
		return true
	}
	all := decodingsOf(text)
	return slices.ContainsFunc(refresh, func(token redact.String) bool {
		return !token.IsZero() && (text == token.Reveal() || all.hold(token.Reveal()))
	})
}

// holdsRefresh reports whether an access token of an answer holds a refresh
// token of that answer, or the one that was sent for it.
func (q *call) holdsRefresh(access string, refresh redact.String) bool {
	return HoldsRefreshToken(redact.New(access), append(q.refreshes, refresh, q.refresh)...)
}

// hide masks the answer's own tokens, wherever else the answer repeats them:
// those that the descriptor points at, and those that are named so.
func (q *call) hide(doc document, tokens ...any) {
	for _, token := range tokens {
		if text, ok := token.(string); ok {
			q.answered = append(q.answered, text)
		}
	}
	for _, token := range doc.tokens() {
		text := token.value.text()
		if names(token.name, "refreshtoken") {
			q.refreshes = append(q.refreshes, redact.New(text))
		}
		if len(text) >= shortestPart && unsafeToken(text) == "" && !names(token.name, "type") {
			q.answered = append(q.answered, text)
		}
	}
	for _, text := range q.answered {
		q.mask.Add(text)
	}
}

// holdsToken reports whether a text holds a token of the answer, or the refresh
// token that was sent for it.
func (q *call) holdsToken(text string) bool {
	return slices.ContainsFunc(append(q.answered, q.refresh.Reveal()), decodingsOf(text).hold)
}

// namedText is a member of an object: its name and its value, a text, in quotes.
type namedText struct{ name, value document }

// tokens returns the texts in the document whose name says that they are
// tokens, however deep they stand: the first few.
func (doc document) tokens() []namedText {
	var found []namedText
	for i := 0; i < len(doc) && len(found) < mostAnswered; {
		if doc[i] != '"' {
			i++
			continue
		}
		end, whole := doc.stringEnd(i)
		name := doc[i:end]
		colon := end
		for colon < len(doc) && doc[colon] <= ' ' {
			colon++
		}
		if !whole || colon >= len(doc) || doc[colon] != ':' {
			i = end
			continue
		}
		i = doc.next(colon)
		if i >= len(doc) || doc[i] != '"' || !names(name, "token") {
			continue
		}
		if end, whole = doc.stringEnd(i); whole && end-i > len(`""`) {
			found = append(found, namedText{name, doc[i:end]})
		}
	}
	return found
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
