package parser

import "strings"

const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	tokenSigns  = "!#$%&'*+-.^_`|~" // #nosec G101 -- RFC 9110 §5.6.2
	longestName = 63
)

// nameForm is what [descriptor.ValidName] accepts, as a regular expression for
// people.
const nameForm = `^[a-z0-9][a-z0-9_-]{0,62}$`

// isHeader reports whether a header field can have that name.
func isHeader(name string) bool {
	return name != "" && strings.Trim(name, lower+upper+digits+tokenSigns) == ""
}

// isExtraName reports whether a value that callers get may have that name.
func isExtraName(name string) bool {
	return name != "" && len(name) <= longestName && strings.Trim(name, lower+upper+digits+"_.-") == "" &&
		strings.Trim(name[:1], digits+".-") != ""
}
