// Package assertion signs assertions: JSON Web Tokens by which a client
// authenticates or requests a token (RFC 7523), and which are access tokens
// at some providers. A proof of AWS or a file may be in the place of one.
package assertion

import (
	"cmp"
	"crypto/rand"
	"errors"
	"net/url"
	"time"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/values"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Signer signs the assertion of one request.
type Signer struct {
	Values *values.Values
	// URL is that of the request. nil: no request sends the assertion.
	URL *url.URL
	// Prove returns the proof for a use, see [proof.Prover.Prove].
	Prove func(proof.Use) (proof.Proof, error)
}

// Sign returns a new assertion (RFC 7523 §3), whose times are of the provider's
// clock.
func (s Signer) Sign() (string, *response.Error) {
	a := s.Values.Request.Descriptor.SignedBy()
	key, token, err := s.means(a)
	if err != nil {
		return "", err
	}
	if !token.IsZero() {
		s.Values.Request.Mask.Add(token.Reveal())
		return token.Reveal(), nil
	}
	claims, err := s.claims(a)
	if err != nil {
		return "", err
	}
	header, err := s.members(a)
	if err != nil {
		return "", err
	}
	signed, failed := jws.Sign(key, s.algorithm(a), header, claims)
	if failed != nil {
		return "", s.signError(failed)
	}
	s.Values.Request.Mask.Add(signed)
	return signed, nil
}

// means returns what makes the assertion: a key that signs it, or a proof that
// is one already.
func (s Signer) means(a descriptor.Assertion) (key jws.Key, token redact.String, err *response.Error) {
	if s.Values.Client.Proof == "" {
		key, err = s.key(a)
		return key, token, err
	}
	p, err := s.proof(a)
	return p.Key, p.Token, err
}

// key returns what signs: the private key, or the secret of HS256.
func (s Signer) key(a descriptor.Assertion) (jws.Key, *response.Error) {
	if a.Key != "" {
		secret, err := s.Values.ExpandBytes("assertion.key", a.Key)
		return jws.Key{Secret: redact.New(secret)}, err
	}
	if s.Values.Client.Key == nil {
		return jws.Key{}, response.ClientMisconfiguration("private_key: missing")
	}
	return jws.Key{Signer: s.Values.Client.Key}, nil
}

// claims returns the default claims and those of the descriptor.
func (s Signer) claims(a descriptor.Assertion) (map[string]any, *response.Error) {
	now, audience := s.Values.Now, ""
	if s.URL != nil {
		audience = s.URL.String()
	}
	from := now.Add(-time.Duration(a.Backdate)).Unix()
	claims := map[string]any{
		"iss": s.Values.Client.ID, "sub": s.Values.Client.ID, "aud": audience,
		"iat": from, "nbf": from, "exp": now.Add(time.Duration(a.Lifetime)).Unix(), "jti": rand.Text(),
	}
	if err := s.replace(claims, "assertion.claims", a.Claims); err != nil {
		return nil, err
	}
	for _, name := range []string{"iss", "sub"} {
		if claims[name] == "" {
			return nil, response.ClientMisconfiguration("client_id: missing")
		}
	}
	if claims["aud"] == "" {
		delete(claims, "aud")
	}
	return claims, nil
}

// members returns the members of the header.
func (s Signer) members(a descriptor.Assertion) (map[string]any, *response.Error) {
	header := map[string]any{}
	if s.Values.Client.KeyID != "" {
		header["kid"] = s.Values.Client.KeyID
	}
	for _, name := range a.Certificate {
		if s.Values.Client.Certificate == nil {
			return nil, response.ClientMisconfiguration("certificate: missing")
		}
		header[name] = jws.CertificateMember(name, s.Values.Client.Certificate.Certificate)
	}
	return header, s.replace(header, "assertion.header", a.Header)
}

// replace adds values of the descriptor to default ones, or puts them in their
// place. One that is empty leaves the member out.
func (s Signer) replace(members map[string]any, path string, own descriptor.Params) *response.Error {
	for name, value := range own {
		at := path + "." + redact.Name(name)
		expanded, _, err := s.Values.ExpandValue(at, value)
		if err != nil {
			return err
		}
		if text, ok := expanded.(string); ok && descriptor.HasControl(text) {
			return response.ClientMisconfiguration("%s: expected no control characters", at)
		}
		if expanded == "" {
			delete(members, name)
			continue
		}
		members[name] = expanded
	}
	return nil
}

// proof returns the proof for the host of this request. An assertion that no
// request sends has no host, and so no proof.
func (s Signer) proof(a descriptor.Assertion) (proof.Proof, *response.Error) {
	if s.URL == nil || s.Prove == nil {
		return proof.Proof{}, response.ClientMisconfiguration(
			"proof %s: expected a request that sends it", s.Values.Client.Proof)
	}
	p, err := s.Prove(proof.Use{
		Credential: s.Values.Client.Credential, Kind: s.Values.Client.Proof, Host: s.URL.Host, Algorithm: a.Algorithm,
	})
	if err != nil {
		return proof.Proof{}, s.signError(err)
	}
	return p, nil
}

// algorithm returns the algorithm of an assertion. "" is the usual one of the
// private key, which nobody here knows of a key in a service.
func (s Signer) algorithm(a descriptor.Assertion) jws.Algorithm {
	if s.Values.Client.Proof == "" {
		return a.Algorithm
	}
	return cmp.Or(a.Algorithm, jws.RS256)
}

// signError returns the error of a key or of a proof. A refused proof is
// misconfigured; any other failure of one may pass. What AWS returns may name
// resources, so only its error code is shown.
func (s Signer) signError(err error) *response.Error {
	if s.Values.Client.Proof == "" {
		return response.ClientMisconfiguration("private_key: %v", err)
	}
	if refused, ok := errors.AsType[proof.Refused](err); ok {
		return response.ClientMisconfiguration("%v", refused)
	}
	reason := err.Error()
	if answered, ok := errors.AsType[*awserror.Error](err); ok {
		reason = answered.Service + " " + answered.Operation + ": " + answered.Code
	}
	text := mask.Line("proof "+string(s.Values.Client.Proof)+": "+reason, response.MaxDescription)
	return &response.Error{Kind: response.Unproven, Description: text, Cause: err}
}
