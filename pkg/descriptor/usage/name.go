package usage

import "strings"

const (
	letters     = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	longestName = 63
)

// NameForm is what [IsName] accepts, as a regular expression for people.
const NameForm = `^[A-Za-z][A-Za-z0-9_-]{0,62}$`

// IsName reports whether a secret, a variable, a step or a value of a step can
// have that name.
func IsName(name string) bool {
	return name != "" && len(name) <= longestName && strings.Trim(name, letters+digits+"_-") == "" &&
		strings.Trim(name[:1], digits+"_-") != ""
}
