package redact

// longestName is the longest name of a field that is shown.
const longestName = 40

// Name is the name of a field that somebody else chose, as an error may repeat it: of letters, _, $ and -, as fields and headers have. What else was typed in its place may be the secret itself, and is not shown.
func Name(name string) string {
	if name == "" || len(name) > longestName {
		return hidden
	}
	for i := range len(name) {
		c := name[i] | 0x20 // a letter in lower case
		if (c < 'a' || c > 'z') && name[i] != '_' && name[i] != '$' && name[i] != '-' {
			return hidden
		}
	}
	return name
}

const hidden = "(a name not shown)"
