package provider

import (
	"context"
)

// Exchange asks the token endpoint once, for any [Grant]. hc's Transport carries the request (outbound.NewClient makes a careful one) and hc's Timeout, where it has one, bounds it besides ctx; its cookies and its redirect policy are not used. Redirects are never followed, and nothing but https is spoken.
//
// Every error is an [*Error]. Once an answer has arrived, SentAt, Date and Limit of the [TokenResponse] are set beside an error too; and where a usable refresh token came with something else wrong, so are Refresh and RefreshExpiry: the old refresh token may be dead, so keep the new one before judging.
//
// A client_credentials request that meets a dead idle connection is sent once more, over a new one; a refresh token, a code and a signed assertion go out once.
func (e Endpoint) Exchange(ctx context.Context, ask TokenRequest) (TokenResponse, error) {
	q, err := e.prepare(ask)
	if err != nil {
		return TokenResponse{}, err
	}
	m, err := q.send(ctx, e.HTTP)
	if err != nil {
		return TokenResponse{}, err
	}
	answer, err := q.Token(m)
	if err != nil {
		return answer, err
	}
	return answer, nil
}
