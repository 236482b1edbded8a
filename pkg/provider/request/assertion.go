package request

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/assertion"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// SelfSigned returns an access token that the client signs itself, by our
// clock, and its lifetime.
func (b Builder) SelfSigned(req TokenRequest) (token redact.String, lifetime time.Duration, err *response.Error) {
	v := values.Values{
		Request: &response.Request{Descriptor: b.Descriptor}, Client: b.Client,
		Scope: req.Scope, Audience: req.Audience, Now: clock.Now(),
	}
	signed, err := assertion.Signer{Values: &v}.Sign()
	if err != nil {
		return redact.String{}, 0, err
	}
	return redact.New(signed), time.Duration(b.Descriptor.SignedBy().Lifetime), nil
}

// assert authenticates the client by a signed assertion (RFC 7523 §2.2). Each
// attempt signs a new one.
func (b *building) assert(r descriptor.Request) *response.Error {
	signed, err := b.assertion()
	if err != nil {
		return values.AsError("assertion", err)
	}
	b.set(r, descriptor.FieldClientID, b.values.Client.ID)
	if !b.set(r, descriptor.FieldAssertion, signed) || !b.set(r, descriptor.FieldAssertionType, assertionType) {
		return response.ClientMisconfiguration(
			"fields: auth private_key_jwt needs client_assertion and client_assertion_type")
	}
	return nil
}

// setJWT sets the assertion of the JWT bearer grant (RFC 7523 §2.1).
func (b *building) setJWT(r descriptor.Request) *response.Error {
	signed, err := b.assertion()
	if err != nil {
		return values.AsError("assertion", err)
	}
	if !b.set(r, descriptor.FieldJWT, signed) {
		return response.ClientMisconfiguration("fields: leaves assertion out")
	}
	return nil
}

// assertion returns the assertion of this request, which is signed once.
func (b *building) assertion() (string, error) {
	if b.assertionText == "" {
		signed, err := assertion.Signer{Values: &b.values, URL: b.URL, Prove: b.prove}.Sign()
		if err != nil {
			return "", err
		}
		b.assertionText, b.Signed = signed, true
	}
	b.Authenticated = true
	return b.assertionText, nil
}
