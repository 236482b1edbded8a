package credential

import (
	"cmp"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// Malformed is the error of a secret that is not as it should be. It names every wrong field at once, and never a value.
type Malformed struct {
	Credential string
	Version    string       // of the secret
	Fields     []FieldError // at least one; sorted by field
}

// FieldError is one wrong field.
type FieldError struct {
	Field    string // as in "allow.principals[0]"; "secret" for the whole
	Expected string // what should have been there, in words: "required", "a string", …
}

// Error says in one line what is wrong with which fields.
func (m *Malformed) Error() string {
	said := make([]string, len(m.Fields))
	for i, f := range m.Fields {
		said[i] = f.Field + ": " + f.Expected
	}
	return "credential " + m.Credential + ": malformed secret: " + strings.Join(said, "; ")
}

// whole stands for the secret as such where no field of it can be named.
const whole = "secret"

// faults gathers what is wrong.
type faults struct {
	version string // of the secret
	fields  []FieldError
}

// add notes a wrong field. The first thing said of a field stands: what follows from it is not said too.
func (w *faults) add(field, expected string) {
	if !w.has(field) {
		w.fields = append(w.fields, FieldError{Field: field, Expected: expected})
	}
}

func (w *faults) has(field string) bool {
	return slices.ContainsFunc(w.fields, func(f FieldError) bool { return f.Field == field })
}

// of is the error for all that was gathered; nil where nothing was.
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

// ValidName says whether a credential can have that name.
func ValidName(name string) bool { return descriptor.ValidName(name) }
