package request

import (
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Then returns the request that follows a token request by a grant, with the
// access token that this one brought.
func (b Builder) Then(g descriptor.Grant, access redact.String) (*Call, *response.Error) {
	u, err := b.relative("then.url", b.Descriptor.Then.URL, nil)
	if err != nil {
		return nil, err
	}
	r := b.Descriptor.Then.Full()
	q := b.start(r, g, u, skew.Skew{})
	q.Name, q.values.Access = "then", access
	q.Mask.Add(access.Reveal())
	return q.finish(r, nil)
}
