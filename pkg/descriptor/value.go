package descriptor

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Variable is a value that is no secret and that each credential gives, such as
// the name of a tenant.
type Variable struct {
	// Help tells where an operator finds the value.
	Help string `json:"help,omitempty"`
	// Pattern is a regular expression (RE2) that the whole value matches.
	Pattern string `json:"pattern,omitempty"`
	// Values lists all values that are allowed.
	Values []string `json:"values,omitempty"`
	// Default is the value of a credential that gives none. nil: each
	// credential gives one.
	Default *string `json:"default,omitempty"`
}

// maxValue is how long the value of a variable may be, in bytes.
const maxValue = 1024

// Expects returns "" for a value that the variable may have, or else what is
// expected.
func (v Variable) Expects(value string) string {
	switch pattern, err := regexp.Compile(`^(?:` + v.Pattern + `)$`); {
	case value == "" || len(value) > maxValue || HasControl(value):
		return "1 to 1024 bytes without control characters"
	case len(v.Values) > 0 && !slices.Contains(v.Values, value):
		return "one of " + strings.Join(v.Values, ", ")
	case v.Pattern != "" && (err != nil || !pattern.MatchString(value)):
		return v.Pattern
	}
	return ""
}

// HasControl reports whether a text has a control character.
func HasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// NamedSecret is a secret of a credential that is neither a client secret nor a
// key.
type NamedSecret struct {
	// Help tells where an operator finds the value.
	Help string `json:"help,omitempty"`
	// Optional secrets are empty where a credential has none.
	Optional bool `json:"optional,omitempty"`
}
