// Package encoded finds a token in a text, also where the text holds it in
// another encoding.
package encoded

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

const (
	// deepest is how many encodings around a token are undone.
	deepest = 2
	// MinLength is the length from which a token is searched for, in bytes. A
	// shorter one may stand in a text by chance.
	MinLength = 8
	// shortestRun is the shortest text in base64 that holds MinLength bytes.
	shortestRun = 11
)

// Text is a text in all readings: as it is, percent-decoded, without
// JSON's escapes, out of hexadecimal and out of base64, and each of these once
// more. A claim of a JWT stands in one of them.
type Text []string

// New returns a text with all that it means.
func New(text string) Text {
	all := Text{text}
	for begin, depth := 0, 0; depth < deepest; depth++ {
		end := len(all)
		for _, one := range all[begin:end] {
			all = all.decode(one)
		}
		begin = end
	}
	return all
}

// Holds reports whether a token of MinLength bytes or more is a part of the
// text. A shorter one may stand there by chance.
func (all Text) Holds(token string) bool {
	isIn := func(text string) bool { return strings.Contains(text, token) }
	return len(token) >= MinLength && slices.ContainsFunc(all, isIn)
}

// decode adds what a text means once one encoding is undone.
func (all Text) decode(text string) Text {
	if strings.Contains(text, "%") {
		if plain, err := url.QueryUnescape(text); err == nil {
			all = append(all, plain)
		}
	}
	if strings.Contains(text, `\/`) {
		all = append(all, strings.ReplaceAll(text, `\/`, "/"))
	}
	for run := range strings.FieldsFuncSeq(text, isSeparator) {
		if len(run) >= shortestRun {
			all = all.decodeRun(run)
		}
	}
	return all
}

// decodeRun adds what a run of digits means in hexadecimal and in base64. Other
// digits may stand before those that encode a token, so each offset is tried.
func (all Text) decodeRun(run string) Text {
	if plain, err := hex.DecodeString(run[:len(run)&^1]); err == nil {
		all = append(all, string(plain))
	}
	run = strings.NewReplacer("-", "+", "_", "/").Replace(run)
	for begin := range 4 {
		digits := run[begin:]
		if len(digits)%4 == 1 {
			digits = digits[:len(digits)-1] // it is no byte
		}
		if plain, err := base64.RawStdEncoding.DecodeString(digits); err == nil {
			all = append(all, string(plain))
		}
	}
	return all
}

// isSeparator reports whether a character is neither in hexadecimal nor in one
// of the alphabets of base64 (RFC 4648 §4 and §5).
func isSeparator(r rune) bool {
	isDigit := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("+/-_", r)
	return !isDigit
}
