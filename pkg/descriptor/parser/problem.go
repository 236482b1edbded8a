package parser

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor/reference"
)

// Error lists everything that is wrong with a descriptor, sorted by field.
type Error struct {
	Problems []Problem // at least one
}

// Problem is one thing that is wrong.
type Problem struct {
	Field string // such as "token.auth"; "" is the whole descriptor
	Text  string // what was expected
}

// String returns the field, and what was expected.
func (p Problem) String() string {
	if p.Field == "" {
		return p.Text
	}
	return p.Field + ": " + p.Text
}

// Error returns all problems in one line, and where the reference documents the
// fields.
func (e *Error) Error() string {
	var texts, pages []string
	for _, problem := range e.Problems {
		texts = append(texts, problem.String())
		if page := reference.Of(problem.Field); !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	return "descriptor: " + strings.Join(texts, "; ") + " (see " + strings.Join(pages, ", ") + ")"
}

// problems collects what is wrong.
type problems struct {
	list []Problem
}

func (p *problems) add(path, format string, args ...any) {
	problem := Problem{path, fmt.Sprintf(format, args...)}
	if !slices.Contains(p.list, problem) {
		p.list = append(p.list, problem)
	}
}

// has reports whether something is wrong with a field.
func (p *problems) has(path string) bool {
	return slices.ContainsFunc(p.list, func(problem Problem) bool { return problem.Field == path })
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
