package parser

import (
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/quota"
)

// quota checks the quota. Both of its fields are required. A value of another
// type is reported already.
func (p *problems) quota(d *descriptor.Descriptor) {
	if d.Quota == nil || p.has("quota") {
		return
	}
	if n := d.Quota.Requests; (n < 1 || n > quota.MaxRequests) && !p.has("quota.requests") {
		p.add("quota.requests", "expected a whole number from 1 to %d", quota.MaxRequests)
	}
	if !slices.Contains(quota.Periods(), d.Quota.Per) && !p.has("quota.per") {
		p.add("quota.per", "expected one of %s", listed(quota.Periods()))
	}
	if len(d.Grants) == 1 && d.DirectGrant() == descriptor.SelfSigned && !d.Connects() {
		p.add("quota", "expected none: no token request is sent")
	}
}
