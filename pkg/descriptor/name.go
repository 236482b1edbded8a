package descriptor

import "strings"

const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	digits      = "0123456789"
	longestName = 63
)

// ValidName reports whether a provider or a credential can have that name: up
// to 63 of a-z, 0-9, _ and -, the first a letter or a digit.
func ValidName(name string) bool {
	return name != "" && len(name) <= longestName &&
		strings.Trim(name, lower+digits+"_-") == "" && strings.Trim(name[:1], "_-") != ""
}
