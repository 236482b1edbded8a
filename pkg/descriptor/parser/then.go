package parser

import (
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

func (p *problems) then(d *descriptor.Descriptor) {
	t := d.Then
	if t == nil {
		return
	}
	p.required("then.url", t.URL)
	p.request("then", t.Request, t.Full())
	p.place("then.access_token", t.Access)
	p.place("then.expiry.at", t.Expiry.At)
	p.instant("then.expiry", t.Expiry)
	p.extra("then.extra", t.Extra)
	for name, at := range t.Extra {
		p.place("then.extra."+redact.Name(name), at)
		if _, twice := d.Response.Extra[name]; twice {
			p.add("then.extra."+redact.Name(name), "stands in response.extra too")
		}
	}
	if t.Access == "" && t.Extra == nil {
		p.add("then", "expected access_token or extra: nothing is read of the answer")
	}
	if t.Access == "" && t.Expiry != (descriptor.Instant{}) {
		p.add("then.expiry", "expected access_token, whose expiry it is")
	}
	if d.DirectGrant() == descriptor.SelfSigned {
		p.add("then", "not given with self_signed")
	}
}
