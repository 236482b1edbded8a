package provider

import (
	"cmp"
	"context"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// RevokeToken revokes an access or a refresh token (RFC 7009). A nil error
// means that the token is invalid now; it may have been so before.
//
// Every error is an [*Error]. After one of kind Unavailable the token must be
// treated as valid, and the call repeated later (RFC 7009 §2.2.1). After
// another kind, repeating the call does not help.
func (e Endpoint) RevokeToken(ctx context.Context, token redact.String) error {
	q, err := e.prepareRevocation(token)
	if err != nil {
		return err
	}
	m, err := q.send(ctx, e)
	if err != nil {
		return err
	}
	if m.Status/100 == 2 {
		return nil
	}
	return q.Error(m)
}

func (e Endpoint) prepareRevocation(token redact.String) (*call, *Error) {
	d := e.Descriptor
	if d.Revoke == nil {
		return nil, misconfigured("revoke: this provider revokes no tokens")
	}
	t := d.EndpointFor(descriptor.ClientCredentials)
	t.Auth, t.Body, t.Params = cmp.Or(d.Revoke.Auth, t.Auth), cmp.Or(d.Revoke.Body, t.Body), d.Revoke.Params
	u, err := e.relative(d.Revoke.URL, "revoke.url")
	if err != nil {
		return nil, err
	}
	q := &call{
		Request: response.Request{Descriptor: d, Grant: descriptor.ClientCredentials},
		method:  http.MethodPost,
		url:     u,
		header:  headers(t.Headers),
		params:  map[string]string{descriptor.FieldToken: token.Reveal()},
		clock:   e.Clocks.at(u),
	}
	q.Mask.Add(token.Reveal())
	q.maskQuery()
	if err := cmp.Or(q.authenticate(t, e.Client), q.extra(t, Client{})); err != nil {
		return nil, err
	}
	q.encode(t.Body)
	return q, nil
}
