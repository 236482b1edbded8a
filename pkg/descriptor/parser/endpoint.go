package parser

import (
	"fmt"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jws"
)

func (p *problems) endpoints(d *descriptor.Descriptor) {
	direct := d.EndpointFor(d.DirectGrant())
	p.request("token", d.Token.Request, direct.Request, grantFields(d)...)
	oneOf(p, "token.algorithm", d.Token.Alg, jws.Asymmetric()...)
	if d.Authorize != nil && d.DirectGrant() != descriptor.AuthorizationCode {
		p.authFields("token", d.EndpointFor(descriptor.AuthorizationCode).Request)
	}
	if r := d.Refresh; r != nil {
		p.request("refresh", r.Request, d.EndpointFor(descriptor.RefreshToken).Request)
		oneOf(p, "refresh.rotates", r.Rotates, descriptor.RotatesUnknown, descriptor.RotatesYes, descriptor.RotatesNo)
		oneOf(
			p,
			"refresh.reuse",
			r.Reuse,
			descriptor.ReuseUnknown,
			descriptor.ReuseTolerated,
			descriptor.ReuseRefused,
			descriptor.ReuseRevokesFamily,
		)
	}
	if a := d.Authorize; a != nil {
		p.required("authorize.url", a.URL)
		oneOf(p, "authorize.pkce", a.PKCE, descriptor.PKCES256, descriptor.PKCEPlain, descriptor.PKCENone)
		p.authorizeParams(a)
		p.authorizeResponse(d)
	}
	if r := d.Revoke; r != nil {
		p.required("revoke.url", r.URL)
		p.request("revoke", r.Request, d.RevokeRequest(), descriptor.FieldToken)
	}
	if v := d.Verify; v != nil {
		p.required("verify.url", v.URL)
		p.headers("verify.headers", v.Headers, true)
		for i, status := range v.Refused {
			if status < 400 || status > 499 || status == http.StatusTooManyRequests {
				p.add(fmt.Sprintf("verify.refused[%d]", i), "expected 400 to 499, and not 429")
			}
		}
	}
}

// grantFields returns the standard parameters that only some grants have.
func grantFields(d *descriptor.Descriptor) (fields []descriptor.Field) {
	for _, g := range d.Grants {
		for _, name := range g.Secrets() {
			fields = append(fields, descriptor.Field(name))
		}
	}
	return fields
}

func (p *problems) limits(l descriptor.Limits) {
	for path, header := range map[string]string{"limits.remaining": l.Remaining, "limits.reset": l.Reset} {
		if header != "" && !isHeader(header) {
			p.add(path, "expected the name of a header")
		}
	}
	oneOfKind(p, "limits.reset_kind", l.ResetKind)
}
