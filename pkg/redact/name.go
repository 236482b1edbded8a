package redact

// maxName is the longest field name that is shown.
const maxName = 40

// Name returns a field name that came from outside as an error may show it:
// letters, _, $ and -. Anything else typed in its place may be the secret
// itself, and is not shown.
func Name(name string) string {
	if name == "" || len(name) > maxName {
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
