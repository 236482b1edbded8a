package provider

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
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
	// smallestRSA is the minimum of RFC 7518 §3.3, in bits.
	smallestRSA = 2048
	halfES256   = 32 // bytes of each of r and s
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
	signed, err := sign(c.Key, c.KeyID, t.Alg, claims)
	if err != nil {
		return "", ofClient(misconfigured("private_key: %v", err))
	}
	q.Mask.Add(signed)
	return signed, nil
}

// sign returns a JWS in compact form (RFC 7515). Its errors name the kind of
// key that is expected, and nothing about the key.
func sign(key crypto.Signer, id string, want descriptor.Algorithm, claims map[string]any) (string, error) {
	alg, err := algorithm(key.Public(), want)
	if err != nil {
		return "", err
	}
	header := map[string]any{"alg": alg, "typ": "JWT"}
	if id != "" {
		header["kid"] = id
	}
	text := segment(header) + "." + segment(claims)
	digest := sha256.Sum256([]byte(text))
	signature, err := key.Sign(rand.Reader, digest[:], options(alg))
	if err == nil && alg == descriptor.ES256 {
		signature, err = fixedWidth(signature)
	}
	if err != nil {
		return "", errors.New("signing failed")
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

func segment(v map[string]any) string {
	data, _ := json.Marshal(v) // strings and numbers: cannot fail
	return base64.RawURLEncoding.EncodeToString(data)
}

// algorithm returns want where the key supports it. Without a wish, it returns
// the usual algorithm of the key.
func algorithm(public crypto.PublicKey, want descriptor.Algorithm) (descriptor.Algorithm, error) {
	switch k := public.(type) {
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() && cmp.Or(want, descriptor.ES256) == descriptor.ES256 {
			return descriptor.ES256, nil
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= smallestRSA && want != descriptor.ES256 {
			return cmp.Or(want, descriptor.RS256), nil
		}
	}
	return "", errors.New("expected a P-256 key for ES256, or RSA of 2048 bits or more for RS256 and PS256")
}

func options(alg descriptor.Algorithm) crypto.SignerOpts {
	if alg == descriptor.PS256 {
		return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	return crypto.SHA256
}

// fixedWidth converts an ASN.1 signature to r and s side by side (RFC 7518
// §3.4).
func fixedWidth(der []byte) ([]byte, error) {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &pair); err != nil || len(rest) > 0 {
		return nil, errors.New("not an ECDSA signature")
	}
	out := make([]byte, 2*halfES256)
	pair.R.FillBytes(out[:halfES256])
	pair.S.FillBytes(out[halfES256:])
	return out, nil
}
