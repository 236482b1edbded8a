package secret

import (
	"slices"

	"github.com/tokenvend/tokenvend/pkg/quota"
)

// quota takes the quota of token requests, or nil if it is absent or wrong.
func (f *form) quota() *quota.Quota {
	if _, given := f.fields["quota"]; !given {
		return nil
	}
	in := f.object("quota")
	if in.fields == nil {
		return nil
	}
	q := quota.Quota{Per: quota.Period(in.text("per"))}
	if _, given := in.fields["requests"]; !given {
		in.wrong("requests", "required: how many token requests the provider takes")
	}
	q.Requests = in.number("requests", 1, quota.MaxRequests)
	if !slices.Contains(quota.Periods(), q.Per) {
		in.wrong("per", "hour, day or month")
	}
	in.rest()
	return &q
}
