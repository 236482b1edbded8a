package parser

import (
	"fmt"
	"slices"
	"strings"
)

// Error lists everything that is wrong with a descriptor, each problem as
// "path: what was expected", with a path such as "token.auth".
type Error struct {
	Problems []string
}

// Error returns all problems in one line.
func (e *Error) Error() string { return "descriptor: " + strings.Join(e.Problems, "; ") }

// problems collects what is wrong.
type problems struct {
	list []string
}

func (p *problems) add(path, format string, args ...any) {
	problem := fmt.Sprintf(format, args...)
	if path != "" {
		problem = path + ": " + problem
	}
	if !slices.Contains(p.list, problem) {
		p.list = append(p.list, problem)
	}
}

// oneOf checks the value of an enumeration. "" is always the default.
func oneOf[S ~string](p *problems, path string, got S, allowed ...S) {
	if got == "" || slices.Contains(allowed, got) {
		return
	}
	words := make([]string, len(allowed))
	for i, word := range allowed {
		words[i] = string(word)
	}
	p.add(path, "expected one of %s", strings.Join(words, ", "))
}

// listed returns words with commas between them.
func listed[S ~string](words []S) string {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return strings.Join(texts, ", ")
}
