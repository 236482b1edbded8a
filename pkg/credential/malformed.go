package credential

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
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

// Error returns one line with every wrong field.
func (m *Malformed) Error() string {
	said := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		said[i] = f.Field + ": " + f.Expected
	}
	return "credential " + m.Credential + ": malformed secret: " + strings.Join(said, "; ")
}

// whole is the name for the secret as a whole.
const whole = "secret"

// faults collects the wrong fields.
type faults struct {
	version string // of the secret
	fields  []FieldError
}

// add reports a wrong field. Only the first fault of a field is kept, because
// others may follow from it.
func (w *faults) add(field, expected string) {
	if !w.has(field) {
		w.fields = append(w.fields, FieldError{Field: field, Expected: expected})
	}
}

func (w *faults) has(field string) bool {
	return slices.ContainsFunc(w.fields, func(f FieldError) bool { return f.Field == field })
}

// of returns the error for the collected faults, or nil.
func (w *faults) of(credential string) error {
	if len(w.fields) == 0 {
		return nil
	}
	if !ValidName(credential) {
		credential = "(no name)"
	}
	slices.SortStableFunc(w.fields, func(a, b FieldError) int { return cmp.Compare(a.Field, b.Field) })
	return &Malformed{Credential: credential, Version: w.version, Fields: w.fields}
}

// ValidName reports whether name is a valid credential name.
func ValidName(name string) bool { return descriptor.ValidName(name) }
