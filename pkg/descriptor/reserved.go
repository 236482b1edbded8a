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

// fields checks the names that a request gives to standard parameters. full has
// all the names that are in force together with them; further are parameters
// that it has besides the usual ones.
func (p *problems) fields(path string, full Request, fields map[Field]string, further []Field) {
	known := slices.Concat(standardFields, further)
	for field, name := range fields {
		oneOf(p, path+".fields", field, known...)
		sameName := func(other Field) bool { return other != field && full.ParamName(other) == name }
		isReserved := slices.Contains(reservedNames, name) && !(path == "revoke" && name == string(field))
		taken := slices.ContainsFunc(known, sameName) || isReserved ||
			field == FieldAudience && slices.Contains(authorizeNames, name)
		if name != "" && taken {
			p.add(path+".fields."+redact.Name(string(field)), "expected a name that no other parameter has")
		}
	}
}

// AuthorizeFields are the fields of an authorization request that can be
// renamed.
var AuthorizeFields = []Field{FieldClientID, FieldRedirectURI, FieldScope, FieldAudience}

// ParamName returns the authorization request's name for a field; "" means that
// it has none.
func (a *Authorize) ParamName(f Field) string { return Request{Fields: a.Fields}.ParamName(f) }

// authorizeParams refuses parameters that an authorization request has anyway,
// and names of its fields that another parameter has.
func (p *problems) authorizeParams(a *Authorize) {
	names := slices.Clone(reservedNames)
	for field, name := range a.Fields {
		oneOf(p, "authorize.fields", field, AuthorizeFields...)
		sameName := func(other Field) bool { return other != field && a.ParamName(other) == name }
		if name != "" && (slices.Contains(reservedNames, name) || slices.ContainsFunc(AuthorizeFields, sameName)) {
			p.add("authorize.fields."+redact.Name(string(field)), "expected a name that no other parameter has")
		}
	}
	for _, field := range []Field{FieldClientID, FieldRedirectURI, FieldScope} {
		names = append(names, a.ParamName(field), string(field))
	}
	for name, value := range a.Params {
		path := "authorize.params." + redact.Name(name)
		if slices.Contains(names, name) {
			p.add(path, "expected a parameter that the request does not set itself, and no request object")
		}
		if !isFormValue(value) {
			p.add(path, "expected a string, a number, true, false, or an array of them")
		}
	}
}
