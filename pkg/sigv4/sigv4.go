// Package sigv4 verifies requests that are signed with AWS Signature Version 4
// for API Gateway, as API Gateway does.
//
// It differs in two things. A presigned query is refused. A session token must
// be signed and is not looked at otherwise, for the keys here have none.
//
// AWS describes the algorithm in "Create a signed AWS API request"
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
// The signer of the AWS SDK computes the same with five times as many
// allocations; the tests compare the two.
package sigv4

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Verifier verifies the requests of a region that are signed with known keys.
// Its methods are safe for concurrent use.
type Verifier struct {
	region  string
	secrets map[string]redact.String

	// decoy signs for unknown ids, so that those take the same path and time as
	// a wrong secret.
	decoy redact.String
	today atomic.Pointer[signingKeys]
}

// NewVerifier returns a verifier for a region. secrets are the secret access
// keys by access key id; it must not be changed afterwards.
func NewVerifier(region string, secrets map[string]redact.String) *Verifier {
	return &Verifier{region: region, secrets: secrets, decoy: redact.New(rand.Text())}
}

// Claim reads what the request's headers claim at the time now, and refuses
// what no signature could make right. So the body need not be read. Errors of
// Claim and [Verifier.Verify] show nothing of the request.
func (v *Verifier) Claim(r *http.Request, now time.Time) (Claim, error) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return Claim{}, errors.New("not signed: expected one Authorization header; a presigned query is not understood")
	}
	a, ok := parseAuthorization(values[0])
	if !ok {
		return Claim{}, errors.New("the Authorization header: expected " + algorithm +
			" with Credential, SignedHeaders and Signature")
	}
	c := Claim{keyID: a.keyID, signed: strings.Split(a.headers, ";"), signature: a.signature}
	if a.region != v.region || a.service != executeapi.Service {
		return Claim{}, errors.New("the credential's scope: expected " + v.region + "/" + executeapi.Service)
	}
	if err := c.checkHeaders(r.Header); err != nil {
		return Claim{}, err
	}
	err := c.setDate(r.Header[httpDate], a.day, now)
	return c, err
}

// Verify returns the id of the key that the request is signed with.
func (v *Verifier) Verify(c Claim, r *http.Request, body Body) (keyID string, err error) {
	if sums := r.Header[httpSum]; len(sums) > 1 || len(sums) == 1 && sums[0] != body.SHA256 {
		return "", errors.New("x-amz-content-sha256: expected the SHA-256 of the body")
	}
	var buffer [1024]byte // on the stack: every request is verified
	canonical, err := c.appendCanonicalRequest(buffer[:0], r, body)
	if err != nil {
		return "", err
	}
	keys := v.keysOf(c.day())
	key, known := keys.byID[c.keyID]
	if !known {
		key = keys.decoy
	}
	var signature [2 * sha256.Size]byte
	computed := appendSignature(signature[:0], key, c.date, v.region, canonical)
	equal := subtle.ConstantTimeCompare(computed, []byte(c.signature)) == 1
	switch {
	case !known:
		return "", errors.New("the access key id is not known")
	case !equal:
		return "", errors.New("the signature does not match: another secret, or what was signed is not what arrived")
	}
	return c.keyID, nil
}

// keysOf returns the signing keys of a day. It derives those of all ids at
// once, and keeps them, so that the time it takes does not tell which id is
// known or was used before.
func (v *Verifier) keysOf(day string) *signingKeys {
	if keys := v.today.Load(); keys != nil && keys.day == day {
		return keys
	}
	keys := &signingKeys{day: day, byID: map[string]*signingKey{}, decoy: newSigningKey(v.decoy, day, v.region)}
	for id, secret := range v.secrets {
		keys.byID[id] = newSigningKey(secret, day, v.region)
	}
	v.today.Store(keys)
	return keys
}
