package mask

import (
	"bytes"
	"html"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape returns the reading with each escape replaced by what it stands for.
func (r reading) unescape(one func(rest []byte) (value []byte, length int)) reading {
	if !bytes.ContainsAny(r.data, `%&\`) {
		return r
	}
	out := newReading(len(r.data))
	for i := 0; i < len(r.data); {
		value, length := one(r.data[i:])
		if length == 0 {
			value, length = r.data[i:i+1], 1
		}
		for _, b := range value {
			out.append(b, r.from[i], r.to[i+length-1])
		}
		i += length
	}
	return out
}

// The functions below read one escape at the beginning of rest. Length 0 means
// that none is there.

func anyEscape(rest []byte) (value []byte, length int) {
	switch rest[0] {
	case '%':
		return percent(rest)
	case '&':
		return entity(rest)
	}
	return backslash(rest)
}

// percent reads %41 (RFC 3986 §2.1).
func percent(rest []byte) (value []byte, length int) {
	if rest[0] != '%' {
		return nil, 0
	}
	n, ok := hexNumber(rest, 1, 2)
	if !ok {
		return nil, 0
	}
	return []byte{byte(n)}, 3 // #nosec G115 -- two hex digits fit in a byte
}

// backslash reads the escapes of JSON (RFC 8259 §7), and \x41.
func backslash(rest []byte) (value []byte, length int) {
	if len(rest) < 2 || rest[0] != '\\' {
		return nil, 0
	}
	switch rest[1] {
	case '"', '\'', '/', '\\':
		return rest[1:2], 2
	case 'n', 'r', 't':
		return []byte{' '}, 2
	case 'x':
		if n, ok := hexNumber(rest, 2, 2); ok {
			return []byte{byte(n)}, 4 // #nosec G115 -- two hex digits fit in a byte
		}
	case 'u':
		return unicodeEscape(rest)
	}
	return nil, 0
}

func hexNumber(rest []byte, at, digits int) (n uint32, ok bool) {
	if len(rest) < at+digits {
		return 0, false
	}
	for _, c := range rest[at : at+digits] {
		if !isHex(c) {
			return 0, false
		}
		n = n<<4 | uint32(hexDigit(c))
	}
	return n, true
}

// unicodeEscape reads \u0041, or two of them that are one character.
func unicodeEscape(rest []byte) (value []byte, length int) {
	const size = 6
	high, ok := hexNumber(rest, 2, 4)
	if !ok {
		return nil, 0
	}
	isSurrogate := utf16.IsSurrogate(rune(high)) // #nosec G115 -- a code point
	if isSurrogate && len(rest) >= 2*size && rest[size] == '\\' && rest[size+1] == 'u' {
		low, _ := hexNumber(rest[size:], 2, 4)
		if r := utf16.DecodeRune(rune(high), rune(low)); r != utf8.RuneError { // #nosec G115 -- a code point
			return utf8.AppendRune(nil, r), 2 * size
		}
	}
	return utf8.AppendRune(nil, rune(high)), size // #nosec G115 -- a code point
}

// entity reads a character reference of HTML, with or without its semicolon.
func entity(rest []byte) (value []byte, length int) {
	const longest = 32
	if rest[0] != '&' {
		return nil, 0
	}
	rest = rest[:min(len(rest), longest)]
	end := 1
	for end < len(rest) && (rest[end] == '#' || isAlphanumeric(rest[end])) {
		end++
	}
	if end < len(rest) && rest[end] == ';' {
		end++
	}
	text := html.UnescapeString(string(rest[:end]))
	if text == string(rest[:end]) {
		return nil, 0
	}
	return []byte(text), end
}
