package descriptor

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// The bounds of a descriptor.
const (
	maxNamed   = 32   // secrets, and variables
	maxPattern = 256  // bytes of a variable's pattern
	maxValue   = 1024 // bytes of a variable's value
	maxSteps   = 2
	maxTaken   = 8 // values of a step's answer
)

// HasControl reports whether a text has a control character.
func HasControl(text string) bool { return strings.ContainsFunc(text, unicode.IsControl) }

// DirectGrants returns the grant types that "grants" lists: those of tokens
// that need no user.
func DirectGrants() []Grant {
	return []Grant{ClientCredentials, JWTBearer, Password, TokenExchange, Login, SelfSigned}
}

func (d *Descriptor) validateGrants(p *problems) {
	oneOfGrants(p, "grants", d.Grants, DirectGrants()...)
	for _, alone := range []Grant{Login, SelfSigned} {
		if len(d.Grants) > 1 && slices.Contains(d.Grants, alone) {
			p.add("grants", "expected %s alone", alone)
		}
	}
	if d.DirectGrant() == SelfSigned && d.Token.URL != "" {
		p.add("token.url", "not given: no token request is sent for self_signed")
	}
}

// IsDirect reports whether the grant type is one of tokens that need no user.
func (g Grant) IsDirect() bool { return slices.Contains(DirectGrants(), g) }

// usesAssertion reports whether a request has an assertion, or may have one by
// the grant type of a credential.
func (d *Descriptor) usesAssertion() bool {
	signing := []Grant{JWTBearer, SelfSigned}
	return d.Grants == nil || d.Uses()[ValueAssertion] || d.signsToAuthenticate() ||
		slices.ContainsFunc(d.Grants, func(g Grant) bool { return slices.Contains(signing, g) })
}

// signsToAuthenticate reports whether an assertion authenticates the client in
// any request.
func (d *Descriptor) signsToAuthenticate() bool {
	all := []Auths{d.Token.Auth}
	if d.Refresh != nil {
		all = append(all, d.Refresh.Auth)
	}
	if d.Revoke != nil {
		all = append(all, d.Revoke.Auth)
	}
	return slices.ContainsFunc(all, func(a Auths) bool { return a.Needs().Assertion })
}

func (d *Descriptor) validateAssertion(p *problems) {
	a := d.Assertion
	if a == nil {
		return
	}
	oneOf(p, "assertion.algorithm", a.Algorithm, append(jws.Asymmetric(), jws.HS256)...)
	if d.Token.Alg != "" || d.Token.Audience != "" {
		p.add("assertion", "not given beside token.algorithm or token.assertion_audience, which are for descriptors "+
			"without it")
	}
	if !d.usesAssertion() {
		p.add("assertion", "nothing uses it: expected auth private_key_jwt, a grant that signs, or {assertion}")
	}
	if (a.Algorithm == jws.HS256) != (a.Key != "") {
		p.add("assertion.key", "expected with HS256, and only with it")
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		if value, given := a.Claims[name]; given && (name == "exp" || value != "") {
			p.add("assertion.claims."+name, `set by lifetime and backdate; "" leaves iat or nbf out`)
		}
	}
	for i, name := range a.Certificate {
		oneOf(p, fmt.Sprintf("assertion.certificate[%d]", i), name, jws.CertificateMembers()...)
	}
	for name := range a.Header {
		if name == "alg" || slices.Contains(jws.CertificateMembers(), name) {
			p.add("assertion.header."+redact.Name(name), "set by algorithm and certificate")
		}
	}
}

func (d *Descriptor) validateSteps(p *problems) {
	if len(d.Steps) > maxSteps {
		p.add("steps", "expected at most %d", maxSteps)
	}
	for i, s := range d.Steps {
		path := fmt.Sprintf("steps[%d]", i)
		sameName := func(other Step) bool { return other.Name == s.Name }
		if !isNamed(s.Name) || slices.ContainsFunc(d.Steps[:i], sameName) {
			p.add(path+".name", "expected %s, and another than other steps have", namedForm)
		}
		p.required(path+".url", s.URL)
		p.request(path, s.Request, s.Full())
		if len(s.Take) == 0 || len(s.Take) > maxTaken {
			p.add(path+".take", "expected 1 to %d values", maxTaken)
		}
		for name, at := range s.Take {
			if !isNamed(name) {
				p.add(path+".take."+redact.Name(name), "expected a name such as %s", namedForm)
			}
			p.place(path+".take."+redact.Name(name), at)
		}
	}
	if d.Steps != nil && (d.Authorize != nil || d.DirectGrant() == SelfSigned) {
		p.add("steps", "not given beside authorize or with self_signed")
	}
}

// validateNamed checks what a descriptor declares of secrets and variables.
func (d *Descriptor) validateNamed(p *problems, used map[string]bool) {
	if len(d.Secrets) > maxNamed || len(d.Variables) > maxNamed {
		p.add("secrets", "expected at most %d, and as many variables", maxNamed)
	}
	for name := range d.Secrets {
		switch path := "secrets." + redact.Name(name); {
		case !isNamed(name):
			p.add(path, "expected a name such as %s", namedForm)
		case !used[SecretPrefix+name] && !d.sendsSecret(name):
			p.add(path, "nothing uses it: expected {secrets.%s} in a template", redact.Name(name))
		}
	}
	for name, v := range d.Variables {
		path := "variables." + redact.Name(name)
		switch _, err := regexp.Compile(v.Pattern); {
		case !isNamed(name):
			p.add(path, "expected a name such as %s", namedForm)
		case !used[VariablePrefix+name]:
			p.add(path, "nothing uses it: expected {variables.%s} in a template", redact.Name(name))
		case err != nil || len(v.Pattern) > maxPattern:
			p.add(path+".pattern", "expected a regular expression (RE2) of at most %d bytes", maxPattern)
		case v.Default != nil && *v.Default != "" && v.Expects(*v.Default) != "":
			p.add(path+".default", "expected a value that pattern and values allow")
		}
		if slices.Contains(v.Values, "") {
			p.add(path+".values", "expected no empty text")
		}
	}
}

// sendsSecret reports whether a grant sends a named secret without a template.
func (d *Descriptor) sendsSecret(name string) bool {
	return slices.Contains(PasswordSecrets, name) && slices.Contains(d.Grants, Password)
}

// PasswordSecrets are the named secrets that [Password] sends.
var PasswordSecrets = []string{"username", "password"}

// validateTemplates checks every template where it stands.
func (d *Descriptor) validateTemplates(p *problems) {
	plain := map[string]bool{} // "REQUEST NAME" of secrets that stand as they are
	used := map[string]bool{}
	for _, at := range d.places() {
		t, err := at.parse()
		if err == nil && at.isURL {
			err = d.checkURLPlaces(t)
		}
		if err != nil {
			p.add(at.path, "%v", err)
			continue
		}
		for _, use := range t.Uses() {
			used[use.Name] = true
			if problem := d.checkUse(at, use.Name); problem != "" {
				p.add(at.path, "%s", problem)
			}
			isSecret := use.Name == ValueClientSecret || strings.HasPrefix(use.Name, SecretPrefix)
			key := at.request + " " + use.Name
			if isSecret && use.Plain && (plain[key] || d.authSends(at.request, use)) {
				p.add(at.path, "expected {%s} in one place of a request", shownValue(use.Name))
			}
			plain[key] = plain[key] || use.Plain
		}
	}
	d.validateNamed(p, used)
	d.validateTaken(p, used)
}

// authSends reports whether a request's client authentication sends a value
// too.
func (d *Descriptor) authSends(request string, use template.Use) bool {
	if use.Name != ValueClientSecret {
		return false
	}
	switch request {
	case "token":
		return d.EndpointFor(d.DirectGrant()).Auth.Needs().Secret
	case "refresh":
		return d.EndpointFor(RefreshToken).Auth.Needs().Secret
	case "revoke":
		return d.RevokeRequest().Auth.Needs().Secret
	}
	return false
}

// checkUse returns what is wrong with a value in a place.
func (d *Descriptor) checkUse(at place, name string) string {
	isAllowed := slices.ContainsFunc(at.allowed, func(allowed string) bool {
		return name == allowed || strings.HasSuffix(allowed, ".") && strings.HasPrefix(name, allowed)
	})
	if !isAllowed {
		return fmt.Sprintf("no value %s here: expected %s", shownValue(name), shownValues(at.allowed))
	}
	if variable, ok := strings.CutPrefix(name, VariablePrefix); ok {
		if _, declared := d.Variables[variable]; !declared {
			return fmt.Sprintf("expected %s in variables", redact.Name(variable))
		}
	}
	if secret, ok := strings.CutPrefix(name, SecretPrefix); ok && !isNamed(secret) {
		return fmt.Sprintf("expected a name such as %s", namedForm)
	}
	if taken, ok := strings.CutPrefix(name, StepPrefix); ok && !d.takes(at.request, taken) {
		return "expected steps.STEP.NAME of an earlier step and a name that it takes"
	}
	return ""
}

// shownValue returns the name of a value as an error may show it: a secret may
// stand in braces by mistake.
func shownValue(name string) string {
	kind, inner, dotted := strings.Cut(name, ".")
	if !dotted {
		return redact.Name(name)
	}
	return redact.Name(kind) + "." + redact.Name(inner)
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

// takes reports whether a step before a request takes a value.
func (d *Descriptor) takes(request, taken string) bool {
	step, name, _ := strings.Cut(taken, ".")
	for i, s := range d.Steps {
		if request == fmt.Sprintf("steps[%d]", i) {
			break
		}
		if _, ok := s.Take[name]; ok && s.Name == step {
			return true
		}
	}
	return false
}

// validateTaken refuses values of steps that nothing uses, and their use in
// requests that no step precedes.
func (d *Descriptor) validateTaken(p *problems, used map[string]bool) {
	for i, s := range d.Steps {
		for name := range s.Take {
			if !used[StepPrefix+s.Name+"."+name] {
				p.add(fmt.Sprintf("steps[%d].take.%s", i, redact.Name(name)), "nothing uses it")
			}
		}
	}
	if d.Steps == nil || d.Refresh == nil {
		return
	}
	r := d.EndpointFor(RefreshToken).Request
	if r.URL = d.Refresh.URL; r.URL == "" {
		r.URL = d.Token.URL
	}
	for _, at := range r.places("refresh", refreshValues, urlValues) {
		if strings.Contains(at.text, "{"+StepPrefix) {
			p.add(at.path, "expected, because that of token uses steps, which no refresh request has")
		}
	}
}
