package provider

import (
	"context"
)

// Exchange sends one token request, for any [descriptor.Grant]. It follows no
// redirects and uses https alone.
//
// Every error is an [*Error]. Once a response has arrived, SentAt, Date and
// Limit of the [TokenResponse] are set, with an error too. So are Refresh and
// RefreshExpiry where the response has a usable refresh token beside an error.
// The old refresh token may be spent: store the new one before handling the
// error.
//
// A client_credentials request that meets a dead idle connection is sent once
// more, over a new one. A refresh token, a code and a signed assertion are sent
// once.
func (e Endpoint) Exchange(ctx context.Context, req TokenRequest) (TokenResponse, error) {
	q, err := e.prepare(req)
	if err != nil {
		return TokenResponse{}, err
	}
	m, err := q.send(ctx, e.HTTP)
	if err != nil {
		return TokenResponse{}, err
	}
	resp, err := q.Token(m)
	if err != nil {
		return resp, err
	}
	return resp, nil
}
