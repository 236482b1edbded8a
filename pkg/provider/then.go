package provider

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/provider/request"
)

// then sends the request that follows a token request, if the descriptor has
// one, and completes the token response. sent is the token request; nil: none
// was sent.
func (e Endpoint) then(ctx context.Context, sent *request.Call, resp TokenResponse) (TokenResponse, *Error) {
	if e.Descriptor.Then == nil || sent == nil {
		return resp, nil
	}
	completed, err := e.complete(ctx, sent, resp)
	if err != nil {
		return resp.WithoutToken(), err.AfterToken()
	}
	return completed, nil
}

func (e Endpoint) complete(ctx context.Context, sent *request.Call, resp TokenResponse) (TokenResponse, *Error) {
	b := e.builder(ctx)
	b.Before = sent
	q, err := b.Then(sent.Grant, resp.Access)
	if err != nil {
		return TokenResponse{}, err
	}
	m, err := e.send(ctx, q)
	if err != nil {
		return TokenResponse{}, err
	}
	return q.Then(m, resp)
}
