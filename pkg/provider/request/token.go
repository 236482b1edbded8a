package request

import (
	"net/http"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/placeholder"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Token returns a token request by the provider's clock. taken are the values
// of earlier steps, by STEP.NAME.
func (b Builder) Token(req TokenRequest, now skew.Skew, taken map[string]redact.String) (*Call, *response.Error) {
	d := b.Descriptor
	if err := checkGrant(d, req); err != nil {
		return nil, err
	}
	t := d.EndpointFor(req.Grant)
	u, err := b.url(req.Grant, taken)
	if err != nil {
		return nil, err
	}
	q := b.start(t.Request, req.Grant, u, now)
	q.Name = "token"
	q.forToken(t, req, taken)
	if err := q.setGrant(t, req); err != nil {
		return nil, err
	}
	call, err := q.finish(t.Request, b.Client.Params)
	if err != nil {
		return nil, err
	}
	// A GET is not replayed: net/http would send it again over each dead
	// connection.
	q.Replay = req.Grant == descriptor.ClientCredentials && !q.Signed && t.Method == http.MethodPost
	return call, q.checkScope(t, req)
}

// forToken sets the values that templates of token requests have.
func (b *building) forToken(t descriptor.TokenEndpoint, req TokenRequest, taken map[string]redact.String) {
	b.values.Scope = strings.Join(strings.Fields(req.Scope), t.ScopeSep)
	b.values.Audience, b.values.Taken = req.Audience, taken
	b.Refresh, b.values.Code = req.Refresh, req.Code
}

// checkScope refuses a scope or an audience that the request does not send. A
// refresh token has the scope that it was issued with (RFC 6749 §6).
func (b *building) checkScope(t descriptor.TokenEndpoint, req TokenRequest) *response.Error {
	isSent := func(f descriptor.Field, name string) bool {
		return t.ParamName(f) != "" || b.values.HasUsed(name) || req.Grant == descriptor.RefreshToken
	}
	switch {
	case b.values.Scope != "" && !isSent(descriptor.FieldScope, placeholder.Scope):
		return response.Misconfiguration("scope: this provider takes none")
	case b.values.Audience != "" && !isSent(descriptor.FieldAudience, placeholder.Audience):
		return response.Misconfiguration("audience: this provider takes none")
	}
	return nil
}

// checkGrant reports, as an error, that the provider has no such grant or that
// the request lacks something.
func checkGrant(d *descriptor.Descriptor, req TokenRequest) *response.Error {
	switch {
	case req.Grant.IsDirect() && req.Grant != descriptor.SelfSigned:
		return nil
	case req.Grant == descriptor.AuthorizationCode:
		return checkCode(d, req)
	case req.Grant != descriptor.RefreshToken:
		return response.Misconfiguration("grant %s is not implemented", req.Grant)
	case d.Refresh == nil:
		return response.Misconfiguration("refresh: this provider has no refresh tokens")
	case req.Refresh.IsZero():
		return response.Misconfiguration("refresh: no refresh token to redeem")
	}
	return nil
}

func checkCode(d *descriptor.Descriptor, req TokenRequest) *response.Error {
	if d.Authorize == nil {
		return response.Misconfiguration("authorize: this provider connects no accounts")
	}
	if req.Code.IsZero() || req.RedirectURI == "" {
		return response.Misconfiguration(
			"authorize: no code to redeem, or not the redirect_uri that it was asked for with")
	}
	return nil
}

// setGrant sets the standard parameters.
func (b *building) setGrant(t descriptor.TokenEndpoint, req TokenRequest) *response.Error {
	b.set(t.Request, descriptor.FieldGrantType, string(req.Grant))
	switch req.Grant {
	case descriptor.RefreshToken:
		b.Mask.Add(req.Refresh.Reveal())
		isPlaced := placeholder.Uses(b.Descriptor)[placeholder.RefreshToken]
		if !b.set(t.Request, descriptor.FieldRefreshToken, req.Refresh.Reveal()) && !isPlaced {
			return response.Misconfiguration("refresh.fields: leaves refresh_token out")
		}
	case descriptor.AuthorizationCode:
		return b.code(t, req) // its scope was decided by the authorization request (RFC 6749 §4.1.3)
	case descriptor.JWTBearer:
		if err := b.setJWT(t.Request); err != nil {
			return err
		}
	}
	if err := b.setSecrets(t.Request, req.Grant.Secrets()); err != nil {
		return err
	}
	if b.values.Scope != "" {
		b.set(t.Request, descriptor.FieldScope, b.values.Scope)
	}
	if b.values.Audience != "" {
		b.set(t.Request, descriptor.FieldAudience, b.values.Audience)
	}
	return nil
}

// setSecrets sets the named secrets of a grant type.
func (b *building) setSecrets(r descriptor.Request, names []string) *response.Error {
	for _, name := range names {
		field := descriptor.Field(name)
		if r.ParamName(field) == "" {
			continue
		}
		value, err := b.values.NamedSecret(name)
		if err != nil {
			return values.AsError(placeholder.SecretPrefix+name, err)
		}
		b.set(r, field, value)
	}
	return nil
}

// code sets the parameters of an authorization code.
func (b *building) code(t descriptor.TokenEndpoint, req TokenRequest) *response.Error {
	b.Mask.Add(req.Code.Reveal())
	b.Mask.Add(req.Verifier.Reveal())
	r := t.Request
	if !b.set(r, descriptor.FieldCode, req.Code.Reveal()) {
		return response.Misconfiguration("fields: leaves code out")
	}
	b.set(r, descriptor.FieldRedirectURI, req.RedirectURI)
	if !req.Verifier.IsZero() && !b.set(r, descriptor.FieldCodeVerifier, req.Verifier.Reveal()) {
		return response.Misconfiguration("fields: leaves code_verifier out, though a code challenge was sent")
	}
	return nil
}
