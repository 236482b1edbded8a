package access

import "unicode/utf8"

// Match reports whether all of s matches the pattern: * matches any number of
// characters, ? exactly one, and any other character itself. There is no
// escape. It takes at most len(pattern)×len(s) steps. Invalid UTF-8 matches
// nothing.
func Match(pattern, s string) bool {
	if !utf8.ValidString(pattern) || !utf8.ValidString(s) {
		return false
	}
	p, i := 0, 0
	// the position of the last *, and where in s its rest was tried last; an
	// earlier * need not be tried again
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p, i = p+1, i+width(s[i:])
		case p < len(pattern) && pattern[p] == s[i]:
			p, i = p+1, i+1
		case star >= 0:
			mark += width(s[mark:])
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

func width(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
