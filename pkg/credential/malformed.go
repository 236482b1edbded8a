package credential

import (
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/reference"
)

// Malformed is the error for an invalid secret. It names every wrong field at
// once and never shows a value.
type Malformed struct {
	Credential string
	Version    string       // of the secret
	Fields     []FieldError // at least one; sorted by field
}

// FieldError is one wrong field.
type FieldError struct {
	Field    string // as in "allow.principals[0]"; "secret" for the secret as a whole
	Expected string // what was expected, in words: "required", "a string", …
}

// Error returns one line with every wrong field, and the pages that describe
// the fields.
func (m *Malformed) Error() string {
	said := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		said[i] = f.Field + ": " + f.Expected
	}
	return "credential " + m.Credential + ": malformed secret: " + strings.Join(said, "; ") + " (see " + m.pages() + ")"
}

// pages returns the pages of this repository that describe the wrong fields,
// and their sections.
func (m *Malformed) pages() string {
	var pages []string
	for _, f := range m.Fields {
		page := "docs/reference/credential.md"
		if path, ok := strings.CutPrefix(f.Field, "descriptor"); ok && (path == "" || path[0] == '.') {
			page = reference.Of(strings.TrimPrefix(path, "."))
		}
		if !slices.Contains(pages, page) {
			pages = append(pages, page)
		}
	}
	return strings.Join(pages, ", ")
}

// ValidName reports whether name is a valid credential name.
func ValidName(name string) bool { return descriptor.ValidName(name) }
