package provider

import (
	"context"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// VerifyToken asks the provider's API whether it takes an access token (RFC 6750 §2.1), with the same care as [Descriptor.Exchange]: 2xx, it does; 401, it does not. It asks for nothing and changes nothing.
// Any other answer says nothing of the token and is an [*Error]; of kind Unavailable it may be another one later.
func (e Endpoint) VerifyToken(ctx context.Context, token redact.String) (works bool, err error) {
	q, failure := e.prepareVerification(token)
	if failure != nil {
		return false, failure
	}
	r, failure := q.send(ctx, e.HTTP)
	switch {
	case failure != nil:
		return false, failure
	case r.status/100 == 2:
		return true, nil
	case r.status == http.StatusUnauthorized:
		return false, nil
	}
	failure = q.refused(r)
	failure.Limit = q.limit(r)
	return false, failure
}

func (e Endpoint) prepareVerification(token redact.String) (*call, *Error) {
	d := e.Descriptor
	if d.Verify == nil {
		return nil, misconfigured("verify: this provider has no request that proves a token")
	}
	u, err := e.relative(d.Verify.URL, "verify.url")
	if err != nil {
		return nil, err
	}
	q := &call{descriptor: d, method: http.MethodGet, url: u, header: headers(d.Verify.Headers), cert: e.Client.Certificate}
	q.mask.Add(token.Reveal())
	q.maskQuery()
	q.maskValues(d.Verify.Headers)
	q.header.Set("Authorization", "Bearer "+token.Reveal())
	return q, nil
}
