package request

import (
	"crypto/rand"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/template"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// SelfSigned returns an access token that the client signs itself, by our
// clock, and its lifetime.
func (b Builder) SelfSigned(req TokenRequest) (token redact.String, lifetime time.Duration, err *Error) {
	q := &building{
		Call: &Call{}, descriptor: b.Descriptor, client: b.Client, scope: req.Scope, audience: req.Audience,
		used: map[string]bool{},
	}
	signed, err := q.sign("")
	if err != nil {
		return redact.String{}, 0, err
	}
	return redact.New(signed), time.Duration(b.Descriptor.SignedBy().Lifetime), nil
}

// assert authenticates the client by a signed assertion (RFC 7523 §2.2). Each
// attempt signs a new one.
func (b *building) assert(r descriptor.Request) *Error {
	signed, err := b.assertion()
	if err != nil {
		return asError("assertion", err)
	}
	b.set(r, descriptor.FieldClientID, b.client.ID)
	if !b.set(r, descriptor.FieldAssertion, signed) || !b.set(r, descriptor.FieldAssertionType, assertionType) {
		return OfClient(Misconfigured("fields: auth private_key_jwt needs client_assertion and client_assertion_type"))
	}
	return nil
}

// setJWT sets the assertion of the JWT bearer grant (RFC 7523 §2.1).
func (b *building) setJWT(r descriptor.Request) *Error {
	signed, err := b.assertion()
	if err != nil {
		return asError("assertion", err)
	}
	if !b.set(r, descriptor.FieldJWT, signed) {
		return OfClient(Misconfigured("fields: leaves assertion out"))
	}
	return nil
}

// assertion returns the assertion of this request, which is signed once.
func (b *building) assertion() (string, error) {
	if b.signed == "" {
		signed, err := b.sign(b.URL.String())
		if err != nil {
			return "", err
		}
		b.signed, b.Signed = signed, true
	}
	b.Authenticated, b.usedSecret = true, true
	return b.signed, nil
}

// sign returns a new assertion (RFC 7523 §3), whose times are of the provider's
// clock. url is that of the request.
func (b *building) sign(url string) (string, *Error) {
	a := b.descriptor.SignedBy()
	key, token, err := b.means(a)
	if err != nil {
		return "", err
	}
	if !token.IsZero() {
		b.Mask.Add(token.Reveal())
		return token.Reveal(), nil
	}
	claims, err := b.claims(a, url)
	if err != nil {
		return "", err
	}
	header, err := b.members(a)
	if err != nil {
		return "", err
	}
	signed, failed := jws.Sign(key, b.algorithm(a), header, claims)
	if failed != nil {
		return "", b.signError(failed)
	}
	b.Mask.Add(signed)
	return signed, nil
}

// means returns what makes the assertion: a key that signs it, or a proof that
// is one already.
func (b *building) means(a descriptor.Assertion) (key jws.Key, token redact.String, err *Error) {
	if b.client.Proof == "" {
		key, err = b.key(a)
		return key, token, err
	}
	p, err := b.proof(a)
	return p.Key, p.Token, err
}

// key returns what signs: the private key, or the secret of HS256.
func (b *building) key(a descriptor.Assertion) (jws.Key, *Error) {
	if a.Key != "" {
		secret, err := b.expanded("assertion.key", a.Key, template.ParseBytes)
		return jws.Key{Secret: redact.New(secret)}, err
	}
	if b.client.Key == nil {
		return jws.Key{}, OfClient(Misconfigured("private_key: missing"))
	}
	return jws.Key{Signer: b.client.Key}, nil
}

// claims returns the default claims and those of the descriptor.
func (b *building) claims(a descriptor.Assertion, url string) (map[string]any, *Error) {
	now := b.now()
	from := now.Add(-time.Duration(a.Backdate)).Unix()
	claims := map[string]any{
		"iss": b.client.ID, "sub": b.client.ID, "aud": url,
		"iat": from, "nbf": from, "exp": now.Add(time.Duration(a.Lifetime)).Unix(), "jti": rand.Text(),
	}
	if err := b.replace(claims, "assertion.claims", a.Claims); err != nil {
		return nil, err
	}
	for _, name := range []string{"iss", "sub"} {
		if claims[name] == "" {
			return nil, OfClient(Misconfigured("client_id: missing"))
		}
	}
	if claims["aud"] == "" {
		delete(claims, "aud")
	}
	return claims, nil
}

// members returns the members of the header.
func (b *building) members(a descriptor.Assertion) (map[string]any, *Error) {
	header := map[string]any{}
	if b.client.KeyID != "" {
		header["kid"] = b.client.KeyID
	}
	for _, name := range a.Certificate {
		if b.client.Certificate == nil {
			return nil, OfClient(Misconfigured("certificate: missing"))
		}
		header[name] = jws.CertificateMember(name, b.client.Certificate.Certificate)
	}
	return header, b.replace(header, "assertion.header", a.Header)
}

// replace adds values of the descriptor to default ones, or puts them in their
// place. One that is empty leaves the member out.
func (b *building) replace(members map[string]any, path string, own descriptor.Params) *Error {
	for name, value := range own {
		at := path + "." + redact.Name(name)
		expanded, _, err := b.expandValue(at, value)
		if err != nil {
			return err
		}
		if text, ok := expanded.(string); ok && descriptor.HasControl(text) {
			return OfClient(Misconfigured("%s: expected no control characters", at))
		}
		if expanded == "" {
			delete(members, name)
			continue
		}
		members[name] = expanded
	}
	return nil
}
