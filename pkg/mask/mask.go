// Package mask hides secrets in text that somebody else wrote, such as the
// error description of a token endpoint.
//
// A secret of 8 bytes or more is hidden by pieces: no 8 consecutive bytes of it
// are shown, in upper or lower case, whether they stand as they are or are
// percent-encoded, HTML-escaped (named, decimal, hexadecimal), JSON-escaped, in
// hexadecimal, or in base64 (standard or URL alphabet, padded or not, at any
// offset). Escapes may be applied twice, and around hexadecimal and base64. A
// shorter secret is hidden where it stands as a whole word.
//
// Not hidden are pieces of fewer than 8 bytes, and what needs a key, a guess or
// another program to be read: encryption, compression, base64 that is encoded a
// second time, reversed text.
//
// The cost is linear in the text, of which 1 KiB is looked at, plus the
// secrets.
package mask

import "strings"

// Mark stands in the place of a secret. It is the same text as redact.Mask.
const Mark = "[redacted]"

const longestText = 1 << 10 // bytes of a text that can be shown

// Line returns text as one line of at most longest bytes: secrets hidden, white
// space collapsed, and only the characters of RFC 6749 §A.8. Control characters
// are dropped; quotes and backslashes become ' and /, and every other character
// outside ASCII becomes ?.
func (s *Set) Line(text string, longest int) string {
	cut := len(text) > longestText
	if cut {
		text = text[:min(len(text), longestText+piece)]
	}
	shown := plain(text)
	hidden := s.find(shown)
	if cut {
		shown = shown[:max(len(shown)-piece, 0)]
	}
	var line strings.Builder
	for i := 0; i < len(shown) && line.Len() < longest; i++ {
		switch {
		case !hidden[i]:
			line.WriteByte(substitute(shown[i]))
		case i == 0 || !hidden[i-1]:
			line.WriteString(Mark)
		}
	}
	return line.String()[:min(line.Len(), longest)]
}

// Line returns text as [Set.Line] does with no secrets to hide.
func Line(text string, longest int) string {
	var none Set
	return none.Line(text, longest)
}
