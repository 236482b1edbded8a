package descriptor

import (
	"cmp"
	"net/http"
	"regexp"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/jws"
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

// Expects returns "" for a value that the variable may have, or else what is
// expected.
func (v Variable) Expects(value string) string {
	switch pattern, err := regexp.Compile(`^(?:` + v.Pattern + `)$`); {
	case value == "" || len(value) > maxValue || HasControl(value):
		return "1 to 1024 bytes without control characters"
	case len(v.Values) > 0 && !slices.Contains(v.Values, value):
		return "one of " + listed(v.Values)
	case v.Pattern != "" && (err != nil || !pattern.MatchString(value)):
		return v.Pattern
	}
	return ""
}

// NamedSecret is a secret of a credential that is neither a client secret nor a
// key.
type NamedSecret struct {
	// Help tells where an operator finds the value.
	Help string `json:"help,omitempty"`
	// Optional secrets are empty where a credential has none.
	Optional bool `json:"optional,omitempty"`
}

// Assertion describes a JWT that the client signs (RFC 7523 §3): for
// [AuthPrivateKey], for [JWTBearer], for the placeholder {assertion}, or as the
// access token itself for [SelfSigned].
type Assertion struct {
	// Algorithm is by default the usual one of the key.
	Algorithm jws.Algorithm `json:"algorithm,omitempty"`
	// Claims are added to the default ones, or replace them: iss and sub (the
	// client ID), aud (the URL of the request), jti, iat, nbf and exp. ""
	// leaves one out. Texts are templates.
	Claims Params `json:"claims,omitempty"`
	// Header has further members of the JWS header. Its default is kid, where
	// the credential has a key_id. Texts are templates.
	Header Params `json:"header,omitempty"`
	// Certificate names the members that identify the credential's certificate.
	Certificate []string `json:"certificate,omitempty"`
	// Key is the key of HS256, a template.
	Key string `json:"key,omitempty"`
	// Lifetime is from now on. 0 is a minute.
	Lifetime Duration `json:"lifetime,omitzero"`
	// Backdate is how far iat and nbf lie in the past. 0 is a minute.
	Backdate Duration `json:"backdate,omitzero"`
}

// Step is a request before the token request.
type Step struct {
	Name string `json:"name"`
	Request
	// Take names values of the answer by JSON Pointers, for {steps.STEP.NAME}.
	Take map[string]string `json:"take"`
}

// Full returns the request of a step with defaults filled in. It has no
// standard parameters but those of a client authentication that it names.
func (s Step) Full() Request {
	r := s.Request.asLogin()
	r.Method = cmp.Or(r.Method, http.MethodPost)
	r.Body = cmp.Or(r.Body, BodyForm)
	return r
}
