package secret

import (
	"cmp"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

// whole is the name for the secret as a whole.
const whole = "secret"

// faults collects the wrong fields.
type faults struct {
	version string // of the secret
	fields  []credential.FieldError
}

// add reports a wrong field. Only the first fault of a field is kept, because
// others may follow from it.
func (w *faults) add(field, expected string) {
	if !w.has(field) {
		w.fields = append(w.fields, credential.FieldError{Field: field, Expected: expected})
	}
}

func (w *faults) has(field string) bool {
	return slices.ContainsFunc(w.fields, func(f credential.FieldError) bool { return f.Field == field })
}

// of returns the error for the collected faults, or nil.
func (w *faults) of(name string) error {
	if len(w.fields) == 0 {
		return nil
	}
	if !credential.ValidName(name) {
		name = "(no name)"
	}
	slices.SortStableFunc(w.fields, func(a, b credential.FieldError) int { return cmp.Compare(a.Field, b.Field) })
	return &credential.Malformed{Credential: name, Version: w.version, Fields: w.fields}
}
