package terminal

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// clean returns text in which nothing controls a terminal: every character that
// is not printed is written as an escape. Lines and tabs stay.
//
// Among the characters that are not printed are the escape character and the C1
// controls (ECMA-48), with which a provider's error text could write into the
// clipboard or rewrite the screen; bytes that are no UTF-8, which an 8-bit
// terminal may take for C1 controls; and format characters, with which a text
// looks like another: controls of direction (Unicode TR 36) and of width zero.
func clean(text string) string {
	return escape(text, func(r rune) bool { return r == '\n' || r == '\t' || isPrinted(r) })
}

// cleanLine is clean for a text that must stay on one line.
func cleanLine(text string) string { return escape(text, isPrinted) }

// isPrinted reports whether a character is shown as a mark or as a space.
func isPrinted(r rune) bool {
	return unicode.IsGraphic(r) &&
		!unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// escape writes what keep refuses, and bytes that are no UTF-8, as in a Go
// string: \x1b, \u202e, \U000e0041.
func escape(text string, keep func(rune) bool) string {
	var b strings.Builder
	b.Grow(len(text))
	for len(text) > 0 {
		// The log of a busy server is mostly of these.
		plain := printedASCII(text)
		b.WriteString(text[:plain])
		if text = text[plain:]; text == "" {
			break
		}
		r, size := utf8.DecodeRuneInString(text)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, text[0])
		case keep(r):
			b.WriteString(text[:size])
		default:
			b.WriteString(escaped(r))
		}
		text = text[size:]
	}
	return b.String()
}

// isPlain reports whether clean leaves a text in ASCII as it is.
func isPlain(text []byte) bool {
	for _, c := range text {
		if (c < ' ' || c > '~') && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

// printedASCII returns the length of the start of text that is printed ASCII.
func printedASCII(text string) int {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return i
		}
	}
	return len(text)
}

func escaped(r rune) string {
	switch {
	case r == '\n':
		return `\n`
	case r == '\r':
		return `\r`
	case r == '\t':
		return `\t`
	case r < utf8.RuneSelf:
		return fmt.Sprintf(`\x%02x`, r)
	case r <= 0xffff:
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}
