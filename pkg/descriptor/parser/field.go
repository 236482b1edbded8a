package parser

import (
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// A parameter of a descriptor never takes the place of another one. Else a
// descriptor could have another token revoked than the one that is meant, or
// have a user sent back to another place.

// reservedNames are the parameters of the protocol that are no fields. A
// request object (RFC 9101) takes the place of all other parameters of an
// authorization request.
var reservedNames = []string{
	descriptor.FieldToken, "response_type", "state", "code_challenge", "code_challenge_method", "request",
	"request_uri",
}

// authorizeNames are the parameters of an authorization request that are set
// here, and those that reservedNames lists.
var authorizeNames = append([]string{"client_id", "redirect_uri", "scope"}, reservedNames...)

// fields checks the names that a request gives to standard parameters. full has
// all the names that are in force together with them; further are parameters
// that it has besides the usual ones.
func (p *problems) fields(
	path string,
	full descriptor.Request,
	fields map[descriptor.Field]string,
	further []descriptor.Field,
) {
	known := slices.Concat(descriptor.StandardFields(), further)
	for field, name := range fields {
		oneOf(p, path+".fields", field, known...)
		sameName := func(other descriptor.Field) bool { return other != field && full.ParamName(other) == name }
		isReserved := slices.Contains(reservedNames, name) && !(path == "revoke" && name == string(field))
		taken := slices.ContainsFunc(known, sameName) || isReserved ||
			field == descriptor.FieldAudience && slices.Contains(authorizeNames, name)
		if name != "" && taken {
			p.add(path+".fields."+redact.Name(string(field)), "expected a name that no other parameter has")
		}
	}
}

// authFields refuses names that leave a part of the client authentication out.
func (p *problems) authFields(path string, full descriptor.Request) {
	needed := map[clientauth.Method][]descriptor.Field{
		clientauth.Post: {
			descriptor.FieldClientID,
			descriptor.FieldClientSecret,
		}, clientauth.PrivateKey: {descriptor.FieldAssertion, descriptor.FieldAssertionType},
	}
	for _, method := range full.Auth {
		for _, field := range needed[method] {
			if full.ParamName(field) == "" {
				p.add(path+".fields."+string(field), "is left out, but auth %s sends it", method)
			}
		}
	}
}
