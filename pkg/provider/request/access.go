package request

import (
	"cmp"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Revocation returns the request that revokes a token (RFC 7009).
func (b Builder) Revocation(token redact.String) (*Call, *response.Error) {
	d := b.Descriptor
	if d.Revoke == nil {
		return nil, response.Misconfiguration("revoke: this provider revokes no tokens")
	}
	u, err := b.relative("revoke.url", d.Revoke.URL, nil)
	if err != nil {
		return nil, err
	}
	r := d.RevokeRequest()
	q := b.start(r, descriptor.ClientCredentials, u, skew.Skew{})
	q.Name, q.values.Access = "revoke", token
	q.Mask.Add(token.Reveal())
	q.set(r, descriptor.FieldToken, token.Reveal())
	return q.finish(r, nil)
}

// Verification returns the request that verifies an access token.
func (b Builder) Verification(token redact.String) (*Call, *response.Error) {
	d := b.Descriptor
	if d.Verify == nil {
		return nil, response.Misconfiguration("verify: this provider has no request that proves a token")
	}
	u, err := b.relative("verify.url", d.Verify.URL, nil)
	if err != nil {
		return nil, err
	}
	q := b.start(descriptor.Request{Method: http.MethodGet}, "", u, skew.Skew{})
	q.Name, q.values.Access, q.Cert = "verify", token, b.Client.Certificate
	q.Mask.Add(token.Reveal())
	q.use(d.Use, token)
	if err := q.setHeaders(d.Verify.Headers); err != nil {
		return nil, err
	}
	return q.Call, nil
}

// use has the request carry an access token as the provider's API expects it.
func (q *Call) use(u descriptor.Use, token redact.String) {
	switch {
	case u == (descriptor.Use{}):
		q.Header.Set("Authorization", "Bearer "+token.Reveal())
	case u.Query != "":
		at, query := *q.URL, q.URL.Query()
		query.Set(u.Query, token.Reveal())
		at.RawQuery = query.Encode()
		q.URL = &at
	default:
		q.Header.Set(cmp.Or(u.Header, "Authorization"), u.Prefix+token.Reveal())
	}
}
