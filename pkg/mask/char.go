package mask

import "strings"

// plain returns text as it is shown, but for quotes and backslashes: they are
// needed to read escapes.
func plain(text string) string {
	return strings.Join(strings.Fields(strings.Map(printable, text)), " ")
}

func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\t':
		return ' '
	case r < ' ' || r == 0x7f:
		return -1
	case r > '~':
		return '?'
	}
	return r
}

// substitute returns what is shown for a character that an error_description
// may not have.
func substitute(c byte) byte {
	switch c {
	case '"':
		return '\''
	case '\\':
		return '/'
	}
	return c
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func hexDigit(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// isBase64 reports whether c is a digit of RFC 4648 §4 or §5.
func isBase64(c byte) bool {
	return isAlphanumeric(c) || c == '+' || c == '/' || c == '-' || c == '_'
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

func base64Digit(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c - 'A'
	case 'a' <= c && c <= 'z':
		return c - 'a' + 26
	case '0' <= c && c <= '9':
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	}
	return 63
}

func fold(data []byte) []byte {
	for i, c := range data {
		data[i] = folded[c]
	}
	return data
}

// folded maps a byte to the one that it is compared as: in lower case, and as
// it is shown. A plus sign may be a space, in a form.
var folded = func() (all [256]byte) {
	for i := range all {
		switch c := byte(i); {
		case 'A' <= c && c <= 'Z':
			all[i] = c | 0x20
		case c == '+', c == '\t', c == '\r', c == '\n':
			all[i] = ' '
		default:
			all[i] = substitute(c)
		}
	}
	return all
}()
