package placeholder

import (
	"maps"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// Uses returns the names of all values that templates of the descriptor use.
func Uses(d *descriptor.Descriptor) map[string]bool {
	used := map[string]bool{}
	for _, p := range Places(d) {
		t, err := p.Parse()
		if err != nil {
			continue // package parser has refused it
		}
		for _, use := range t.Uses() {
			used[use.Name] = true
		}
	}
	return used
}

// NeedsVariable reports whether a credential needs a value of a variable: one
// with a token URL of its own does not where nothing but token.url uses it.
func NeedsVariable(d *descriptor.Descriptor, name string, hasTokenURL bool) bool {
	v, declared := d.Variables[name]
	if !declared || v.Default != nil {
		return false
	}
	rest := *d
	if hasTokenURL {
		rest.Token.URL = ""
	}
	return Uses(&rest)[VariablePrefix+name]
}

// VerifiesWithSecret reports whether a verification needs more of the client
// than its ID and variables.
func VerifiesWithSecret(d *descriptor.Descriptor) bool {
	for _, p := range Places(d) {
		t, err := p.Parse()
		if err != nil || p.Request != "verify" {
			continue
		}
		for _, use := range t.Uses() {
			isSecret := use.Name == ClientSecret || use.Name == Assertion || use.Name == KeyID
			if isSecret || strings.HasPrefix(use.Name, SecretPrefix) {
				return true
			}
		}
	}
	return false
}

// UsesOf returns the names with a prefix of the values that templates use,
// without the prefix, sorted.
func UsesOf(d *descriptor.Descriptor, prefix string) []string {
	var names []string
	for name := range Uses(d) {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, rest)
		}
	}
	return slices.Sorted(slices.Values(names))
}

// URLVariables returns the names of the variables that URLs use, sorted. That
// of authorize is left out: this program sends nothing there.
func URLVariables(d *descriptor.Descriptor) []string {
	used := map[string]bool{}
	for _, p := range Places(d) {
		t, err := p.Parse()
		if err != nil || !p.IsURL || p.Request == "authorize" {
			continue
		}
		for _, use := range t.Uses() {
			if name, ok := strings.CutPrefix(use.Name, VariablePrefix); ok {
				used[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(used))
}

// URLs returns all URLs of the descriptor, as they are written.
func URLs(d *descriptor.Descriptor) []string {
	var all []string
	for _, p := range Places(d) {
		if p.IsURL && p.Text != "" {
			all = append(all, p.Text)
		}
	}
	return all
}
