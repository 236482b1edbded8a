package provider

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/provider/expiry"
	"github.com/tokenvend/tokenvend/pkg/provider/request"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// runSteps sends the requests that precede a token request, and returns the
// values that they take, by STEP.NAME. The last is the one before the next
// request of b.
func (e Endpoint) runSteps(
	ctx context.Context, b *request.Builder, req TokenRequest,
) (map[string]redact.String, *Error) {
	taken := map[string]redact.String{}
	for i, step := range e.Descriptor.Steps {
		q, err := b.Step(i, req, taken)
		if err != nil {
			return nil, err
		}
		m, err := e.send(ctx, q)
		if err != nil {
			return nil, err
		}
		b.Before = q
		values, err := q.Take(m, step.Take)
		if err != nil {
			return nil, err
		}
		for name, value := range values {
			taken[step.Name+"."+name] = value
		}
	}
	return taken, nil
}

// selfSigned returns an access token that the client has signed itself.
func (e Endpoint) selfSigned(ctx context.Context, req TokenRequest) (TokenResponse, *Error) {
	now := clock.Now()
	signed, lifetime, err := e.builder(ctx).SelfSigned(req)
	if err != nil {
		return TokenResponse{}, err
	}
	return TokenResponse{
		Access: signed, Expiry: expiry.Expiry{Given: true, In: lifetime}, SentAt: now,
	}, nil
}
