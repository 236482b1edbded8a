package provider

import (
	"context"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Verifies says whether there is a request that proves a token.
func (d *Descriptor) Verifies() bool { return d.Verify != nil }

// VerifiesMinted says whether every new token is to be proven before it is handed out.
func (d *Descriptor) VerifiesMinted() bool { return d.Verify != nil && d.Verify.Minted }

// VerifyToken asks the provider's API whether it takes an access token (RFC 6750 §2.1), with the same care as [Descriptor.Exchange]: 2xx, it does; 401, it does not. It asks for nothing and changes nothing.
// Any other answer says nothing of the token and is an [*Error]; of kind Unavailable it may be another one later.
func (d *Descriptor) VerifyToken(ctx context.Context, hc *http.Client, c Client, token redact.String) (works bool, err error) {
	q, failure := d.prepareVerification(c, token)
	if failure != nil {
		return false, failure
	}
	r, failure := q.send(ctx, hc)
	switch {
	case failure != nil:
		return false, failure
	case r.status/100 == 2:
		return true, nil
	case r.status == http.StatusUnauthorized:
		return false, nil
	}
	failure = d.refused(q, r)
	failure.Limit = d.limit(r)
	return false, failure
}

func (d *Descriptor) prepareVerification(c Client, token redact.String) (*call, *Error) {
	if d.Verify == nil {
		return nil, misconfigured("verify: this provider has no request that proves a token")
	}
	u, err := d.relative(c, d.Verify.URL, "verify.url")
	if err != nil {
		return nil, err
	}
	q := &call{method: http.MethodGet, url: u, header: TokenRequest{Headers: d.Verify.Headers}.header(), cert: c.Certificate}
	q.mask.Add(token.Reveal())
	q.maskQuery()
	q.maskValues(d.Verify.Headers)
	q.header.Set("Authorization", "Bearer "+token.Reveal())
	return q, nil
}
