// Package usage checks that what the templates of a descriptor use is there,
// and that what a descriptor declares is used.
package usage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Check reports what is wrong with the templates, secrets, variables and taken
// values of a descriptor.
func Check(d *descriptor.Descriptor, report Report) {
	plain := map[string]bool{} // "REQUEST NAME" of secrets that stand as they are
	used := map[string]bool{}
	for _, at := range placeholder.Places(d) {
		t, err := at.Parse()
		if err == nil && at.IsURL {
			err = placeholder.CheckURL(d, t)
		}
		if err != nil {
			report(at.Path, "%v", err)
			continue
		}
		for _, use := range t.Uses() {
			used[use.Name] = true
			if problem := checkUse(d, at, use.Name); problem != "" {
				report(at.Path, "%s", problem)
			}
			isSecret := use.Name == placeholder.ClientSecret || strings.HasPrefix(use.Name, placeholder.SecretPrefix)
			key := at.Request + " " + use.Name
			if isSecret && use.Plain && (plain[key] || authSends(d, at.Request, use)) {
				report(at.Path, "expected {%s} in one place of a request", placeholder.Shown(use.Name))
			}
			plain[key] = plain[key] || use.Plain
		}
	}
	checkDeclared(d, used, report)
	checkTaken(d, used, report)
	checkTokenURL(d, report)
}

// authSends reports whether a request's client authentication sends a value
// too.
func authSends(d *descriptor.Descriptor, request string, use template.Use) bool {
	if use.Name != placeholder.ClientSecret {
		return false
	}
	switch request {
	case "token":
		return d.EndpointFor(d.DirectGrant()).Auth.Needs().Secret
	case "refresh":
		return d.EndpointFor(descriptor.RefreshToken).Auth.Needs().Secret
	case "then":
		return d.Then.Full().Auth.Needs().Secret
	case "revoke":
		return d.RevokeRequest().Auth.Needs().Secret
	}
	return false
}

// checkUse returns what is wrong with a value in a place.
func checkUse(d *descriptor.Descriptor, at placeholder.Place, name string) string {
	isAllowed := slices.ContainsFunc(at.Allowed, func(allowed string) bool {
		return name == allowed || strings.HasSuffix(allowed, ".") && strings.HasPrefix(name, allowed)
	})
	if !isAllowed {
		return fmt.Sprintf("no value %s here: expected %s", placeholder.Shown(name), shownValues(at.Allowed))
	}
	if variable, ok := strings.CutPrefix(name, placeholder.VariablePrefix); ok {
		if _, declared := d.Variables[variable]; !declared {
			return fmt.Sprintf("expected %s in variables", redact.Name(variable))
		}
	}
	if secret, ok := strings.CutPrefix(name, placeholder.SecretPrefix); ok && !IsName(secret) {
		return fmt.Sprintf("expected a name such as %s", NameForm)
	}
	if taken, ok := strings.CutPrefix(name, placeholder.StepPrefix); ok && !takes(d, at.Request, taken) {
		return "expected steps.STEP.NAME of an earlier step and a name that it takes"
	}
	if name == placeholder.Code && d.Authorize == nil {
		return "expected authorize: no other request has a code"
	}
	return ""
}

// shownValues returns the values that a place allows, as templates have them.
func shownValues(allowed []string) string {
	texts := make([]string, len(allowed))
	for i, name := range allowed {
		texts[i] = name
		if strings.HasSuffix(name, ".") {
			texts[i] += "NAME"
		}
	}
	return strings.Join(texts, ", ")
}

// checkTaken refuses values of steps that nothing uses, and the use of such
// values and of a code in refresh requests, which have none.
func checkTaken(d *descriptor.Descriptor, used map[string]bool, report Report) {
	for i, s := range d.Steps {
		for name := range s.Take {
			if !used[placeholder.StepPrefix+s.Name+"."+name] {
				report(fmt.Sprintf("steps[%d].take.%s", i, redact.Name(name)), "nothing uses it")
			}
		}
	}
	if d.Refresh == nil {
		return
	}
	r := d.EndpointFor(descriptor.RefreshToken).Request
	if r.URL = d.Refresh.URL; r.URL == "" {
		r.URL = d.Token.URL
	}
	for _, at := range placeholder.RefreshPlaces(r) {
		t, err := at.Parse()
		if err != nil {
			continue // the check of templates says so
		}
		for _, use := range t.Uses() {
			if strings.HasPrefix(use.Name, placeholder.StepPrefix) {
				report(at.Path, "expected, because that of token uses steps, which no refresh request has")
			}
			if use.Name == placeholder.Code {
				report(at.Path, "expected, because that of token uses code, which no refresh request has")
			}
		}
	}
}
