package parser

import (
	"fmt"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// usesAssertion reports whether a request has an assertion, or may have one by
// the grant type of a credential.
func usesAssertion(d *descriptor.Descriptor) bool {
	signing := []descriptor.Grant{descriptor.JWTBearer, descriptor.SelfSigned}
	return d.Grants == nil || placeholder.Uses(d)[placeholder.Assertion] || signsToAuthenticate(d) ||
		slices.ContainsFunc(d.Grants, func(g descriptor.Grant) bool { return slices.Contains(signing, g) })
}

// signsToAuthenticate reports whether an assertion authenticates the client in
// any request.
func signsToAuthenticate(d *descriptor.Descriptor) bool {
	all := []clientauth.Methods{d.Token.Auth}
	if d.Refresh != nil {
		all = append(all, d.Refresh.Auth)
	}
	if d.Revoke != nil {
		all = append(all, d.Revoke.Auth)
	}
	return slices.ContainsFunc(all, func(a clientauth.Methods) bool { return a.Needs().Assertion })
}

func (p *problems) assertion(d *descriptor.Descriptor) {
	a := d.Assertion
	if a == nil {
		return
	}
	oneOf(p, "assertion.algorithm", a.Algorithm, append(jws.Asymmetric(), jws.HS256)...)
	if d.Token.Alg != "" || d.Token.Audience != "" {
		p.add("assertion", "not given beside token.algorithm or token.assertion_audience, which are for descriptors "+
			"without it")
	}
	if !usesAssertion(d) {
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
	p.withoutNull("assertion.claims", a.Claims)
	p.withoutNull("assertion.header", a.Header)
	for i, name := range a.Certificate {
		oneOf(p, fmt.Sprintf("assertion.certificate[%d]", i), name, jws.CertificateMembers()...)
	}
	for name := range a.Header {
		if name == "alg" || slices.Contains(jws.CertificateMembers(), name) {
			p.add("assertion.header."+redact.Name(name), "set by algorithm and certificate")
		}
	}
}
