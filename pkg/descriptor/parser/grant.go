package parser

import (
	"fmt"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

func (p *problems) grants(d *descriptor.Descriptor) {
	oneOfGrants(p, "grants", d.Grants, descriptor.DirectGrants()...)
	for _, alone := range []descriptor.Grant{descriptor.Login, descriptor.SelfSigned} {
		if len(d.Grants) > 1 && slices.Contains(d.Grants, alone) {
			p.add("grants", "expected %s alone", alone)
		}
	}
	if d.DirectGrant() == descriptor.SelfSigned && d.Token.URL != "" {
		p.add("token.url", "not given: no token request is sent for self_signed")
	}
}

// oneOfGrants checks grant types.
func oneOfGrants(p *problems, path string, given []descriptor.Grant, allowed ...descriptor.Grant) {
	for i, g := range given {
		if g == "" || !slices.Contains(allowed, g) {
			p.add(fmt.Sprintf("%s[%d]", path, i), "expected one of %s", listed(allowed))
		}
		if slices.Contains(given[:i], g) {
			p.add(fmt.Sprintf("%s[%d]", path, i), "stands twice")
		}
	}
}
