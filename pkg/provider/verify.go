package provider

import (
	"context"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// VerifyToken asks the provider's API whether it accepts an access token (RFC
// 6750 §2.1): yes by a status 2xx, no by 401. The request changes nothing.
//
// Any other response says nothing of the token and is an [*Error]. One of kind
// Unavailable may change later.
func (e Endpoint) VerifyToken(ctx context.Context, token redact.String) (works bool, err error) {
	q, failure := e.prepareVerification(token)
	if failure != nil {
		return false, failure
	}
	m, failure := q.send(ctx, e)
	switch {
	case failure != nil:
		return false, failure
	case m.Status/100 == 2:
		return true, nil
	case m.Status == http.StatusUnauthorized:
		return false, nil
	}
	return false, q.Error(m)
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
	q := &call{
		Request: response.Request{Descriptor: d},
		method:  http.MethodGet,
		url:     u,
		header:  headers(d.Verify.Headers),
		cert:    e.Client.Certificate,
	}
	q.Mask.Add(token.Reveal())
	q.maskQuery()
	q.maskValues(d.Verify.Headers)
	q.header.Set("Authorization", "Bearer "+token.Reveal())
	return q, nil
}
