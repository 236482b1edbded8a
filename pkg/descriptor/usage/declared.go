package usage

import (
	"regexp"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Report notes what is wrong at a path such as "token.params".
type Report func(path, format string, args ...any)

// The bounds of secrets and variables.
const (
	maxNamed   = 32  // secrets, and variables
	maxPattern = 256 // bytes of a variable's pattern
)

// checkDeclared checks what a descriptor declares of secrets and variables.
func checkDeclared(d *descriptor.Descriptor, used map[string]bool, report Report) {
	for path, declared := range map[string]int{"secrets": len(d.Secrets), "variables": len(d.Variables)} {
		if declared > maxNamed {
			report(path, "expected at most %d", maxNamed)
		}
	}
	for name := range d.Secrets {
		switch path := "secrets." + redact.Name(name); {
		case !IsName(name):
			report(path, "expected a name such as %s", NameForm)
		case !used[placeholder.SecretPrefix+name] && !sendsSecret(d, name):
			report(path, "nothing uses it: expected {secrets.%s} in a template", redact.Name(name))
		}
	}
	for name, v := range d.Variables {
		path := "variables." + redact.Name(name)
		switch _, err := regexp.Compile(v.Pattern); {
		case !IsName(name):
			report(path, "expected a name such as %s", NameForm)
		case !used[placeholder.VariablePrefix+name]:
			report(path, "nothing uses it: expected {variables.%s} in a template", redact.Name(name))
		case err != nil || len(v.Pattern) > maxPattern:
			report(path+".pattern", "expected a regular expression (RE2) of at most %d bytes", maxPattern)
		case v.Default != nil && *v.Default != "" && v.Expects(*v.Default) != "":
			report(path+".default", "expected a value that pattern and values allow")
		}
		if slices.Contains(v.Values, "") {
			report(path+".values", "expected no empty text")
		}
	}
}

// sendsSecret reports whether a grant sends a named secret without a template.
func sendsSecret(d *descriptor.Descriptor, name string) bool {
	return slices.ContainsFunc(d.Grants, func(g descriptor.Grant) bool { return slices.Contains(g.Secrets(), name) })
}
