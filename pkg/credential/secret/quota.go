package secret

import (
	"slices"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// quota takes the quota of token requests, or nil if it is absent or wrong.
func (f *form) quota() *descriptor.Quota {
	if _, given := f.fields["quota"]; !given {
		return nil
	}
	in := f.object("quota")
	if in.fields == nil {
		return nil
	}
	q := descriptor.Quota{Per: descriptor.Period(in.text("per"))}
	if _, given := in.fields["requests"]; !given {
		in.wrong("requests", "required: how many token requests the provider takes")
	}
	q.Requests = in.number("requests", 1, descriptor.MaxQuota)
	if !slices.Contains(descriptor.Periods(), q.Per) {
		in.wrong("per", "hour, day or month")
	}
	in.rest()
	return &q
}
