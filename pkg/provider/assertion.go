package provider

import (
	"cmp"
	"crypto/rand"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jws"
)

const (
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// assertionLife is how long a signed assertion is valid from now on: enough
	// for a slow response and for clocks that differ a little. Some servers
	// refuse an "exp" more than five minutes after "iat" (Auth0: "Authenticate
	// with Private Key JWT").
	assertionLife = time.Minute
	// assertionBackdate is how far "iat" and "nbf" lie in the past, as GitHub
	// recommends ("Generating a JSON Web Token for a GitHub App"): some servers
	// allow for no difference between the clocks (keycloak/keycloak#8966).
	assertionBackdate = time.Minute
)

// assert authenticates the client by a signed assertion (RFC 7523 §2.2). Each
// attempt signs a new one.
func (q *call) assert(t descriptor.TokenEndpoint, c Client) *Error {
	signed, failed := q.signAssertion(t, c)
	if failed != nil {
		return failed
	}
	q.set(t, descriptor.FieldClientID, c.ID)
	if !q.set(t, descriptor.FieldAssertion, signed) || !q.set(t, descriptor.FieldAssertionType, assertionType) {
		return ofClient(misconfigured("fields: auth private_key_jwt needs client_assertion and client_assertion_type"))
	}
	return nil
}

// setJWT sets the assertion of the JWT bearer grant (RFC 7523 §2.1). Its issuer
// and its subject are the client, as for a service account.
func (q *call) setJWT(t descriptor.TokenEndpoint, c Client) *Error {
	signed, failed := q.signAssertion(t, c)
	if failed == nil && !q.set(t, descriptor.FieldJWT, signed) {
		failed = ofClient(misconfigured("fields: leaves assertion out"))
	}
	return failed
}

// signAssertion returns an assertion of the client about itself (RFC 7523 §3),
// whose times are of the provider's clock.
func (q *call) signAssertion(t descriptor.TokenEndpoint, c Client) (string, *Error) {
	if c.Key == nil {
		return "", ofClient(misconfigured("private_key: missing"))
	}
	now := q.clock.Theirs(wall())
	from := now.Add(-assertionBackdate).Unix()
	claims := map[string]any{
		"iss": c.ID, "sub": c.ID, "aud": cmp.Or(t.Audience, q.url.String()),
		"iat": from, "nbf": from, "exp": now.Add(assertionLife).Unix(), "jti": rand.Text(),
	}
	header := map[string]any{}
	if c.KeyID != "" {
		header["kid"] = c.KeyID
	}
	signed, err := jws.Sign(jws.Key{Signer: c.Key}, t.Alg, header, claims)
	if err != nil {
		return "", ofClient(misconfigured("private_key: %v", err))
	}
	q.Mask.Add(signed)
	return signed, nil
}
