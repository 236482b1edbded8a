package descriptor

import (
	"slices"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A parameter of a descriptor never takes the place of another one. Else a
// descriptor could have another token revoked than the one that is meant, or
// have a user sent back to another place.

// reservedNames are the parameters of the protocol that are no fields. A
// request object (RFC 9101) takes the place of all other parameters of an
// authorization request.
var reservedNames = []string{
	FieldToken, "response_type", "state", "code_challenge", "code_challenge_method", "request", "request_uri",
}

// authorizeNames are the parameters of an authorization request that are set
// here, and those that reservedNames lists.
var authorizeNames = append([]string{"client_id", "redirect_uri", "scope"}, reservedNames...)

// fields checks the names that a descriptor gives to standard parameters. t has
// all the names that are in force together with them.
func (p *problems) fields(path string, t TokenEndpoint, fields map[Field]string) {
	for field, name := range fields {
		oneOf(p, path, field, standardFields...)
		sameName := func(other Field) bool { return other != field && t.ParamName(other) == name }
		taken := slices.ContainsFunc(standardFields, sameName) || slices.Contains(reservedNames, name) ||
			field == FieldAudience && slices.Contains(authorizeNames, name)
		if name != "" && taken {
			p.add(path+"."+redact.Name(string(field)), "expected a name that no other parameter has")
		}
	}
}

// authorizeParams refuses parameters that an authorization request has anyway.
func (p *problems) authorizeParams(params map[string]string) {
	for name := range params {
		if slices.Contains(authorizeNames, name) {
			p.add("authorize.params."+redact.Name(name), "expected a parameter that the request does not set itself, and no request object")
		}
	}
}

// revokeParams refuses parameters that a revocation has anyway.
func (p *problems) revokeParams(t TokenEndpoint, params map[string]string) {
	p.params("revoke.params", t, params)
	if _, taken := params[FieldToken]; taken {
		p.add("revoke.params."+FieldToken, "is a standard parameter")
	}
}
