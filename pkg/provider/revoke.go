package provider

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// RevokeToken revokes an access or a refresh token (RFC 7009). A nil error
// means that the token is invalid now; it may have been so before.
//
// Every error is an [*Error]. After one of kind Unavailable the token must be
// treated as valid, and the call repeated later (RFC 7009 §2.2.1). After
// another kind, repeating the call does not help.
func (e Endpoint) RevokeToken(ctx context.Context, token redact.String) error {
	q, err := e.builder(ctx).Revocation(token)
	if err != nil {
		return err
	}
	m, err := e.send(ctx, q)
	if err != nil {
		return err
	}
	if q.Succeeds(m) {
		return nil
	}
	return q.Error(m)
}
