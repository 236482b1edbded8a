package provider

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// then sends the request that follows a token request, if the descriptor has
// one, and completes the token response.
func (e Endpoint) then(ctx context.Context, g descriptor.Grant, resp TokenResponse) (TokenResponse, *Error) {
	if e.Descriptor.Then == nil || g == descriptor.SelfSigned {
		return resp, nil
	}
	q, err := e.builder(ctx).Then(g, resp.Access)
	if err != nil {
		return resp.WithoutToken(), err
	}
	m, err := e.send(ctx, q)
	if err != nil {
		return resp.WithoutToken(), err
	}
	return q.Then(m, resp)
}
