package access

import "unicode/utf8"

// Match says whether the whole of s fits the pattern: * stands for any number of characters, ? for exactly one, everything else for itself. There is no escape. It takes at most len(pattern)×len(s) steps, whatever the two hold. What is not UTF-8 fits nothing.
func Match(pattern, s string) bool {
	if !utf8.ValidString(pattern) || !utf8.ValidString(s) {
		return false
	}
	p, i := 0, 0
	star, mark := -1, 0 // where the last * stands, and where in s what follows it was tried last; an earlier * never has to be tried again
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
