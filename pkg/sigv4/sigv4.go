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
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// MaxSkew is how far a request's date may be from the verifier's clock, as at
// AWS.
const MaxSkew = 5 * time.Minute

const (
	algorithm  = "AWS4-HMAC-SHA256"
	dateFormat = "20060102T150405Z"
	dayFormat  = "20060102"
)

// The headers that matter to a signature, as SignedHeaders and net/http write
// them.
const (
	hostHeader   = "host"
	lengthHeader = "content-length"
	dateHeader   = "x-amz-date"
	httpDate     = "X-Amz-Date"
	tokenHeader  = "x-amz-security-token" // #nosec G101 -- the name of a header
	httpToken    = "X-Amz-Security-Token" // #nosec G101 -- the name of a header
	httpSum      = "X-Amz-Content-Sha256"
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

// Claim is what a request says of its own signature. Nothing of it is verified.
type Claim struct {
	keyID, signature string
	signed           []string // names of headers
	date             string   // like 20260131T235959Z
}

// Body is what a signature covers of a request's body.
type Body struct {
	Length int64
	SHA256 string // of the whole body, in hex
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
	canonical, err := c.canonicalRequest(r, body)
	if err != nil {
		return "", err
	}
	keys := v.keysOf(c.day())
	key, known := keys.byID[c.keyID]
	if !known {
		key = keys.decoy
	}
	computed := signature(key, c.date, v.region, canonical)
	equal := subtle.ConstantTimeCompare([]byte(computed), []byte(c.signature)) == 1
	switch {
	case !known:
		return "", errors.New("the access key id is not known")
	case !equal:
		return "", errors.New("the signature does not match: another secret, or what was signed is not what arrived")
	}
	return c.keyID, nil
}

// day is the day that the signing key is derived for.
func (c Claim) day() string { return c.date[:len(dayFormat)] }

// checkHeaders refuses a claim without the headers that must be signed.
func (c Claim) checkHeaders(h http.Header) error {
	if !slices.IsSorted(c.signed) || len(slices.Compact(slices.Clone(c.signed))) != len(c.signed) {
		return errors.New("SignedHeaders: expected names in order, each once")
	}
	required := []string{hostHeader, dateHeader}
	if len(h[httpToken]) > 0 {
		required = append(required, tokenHeader)
	}
	for _, name := range required {
		if !slices.Contains(c.signed, name) {
			return errors.New("SignedHeaders: expected " + name + " among them")
		}
	}
	return nil
}

// setDate reads the request's date, and refuses one that is not on the day of
// the credential's scope or too far from now.
func (c *Claim) setDate(values []string, day string, now time.Time) error {
	if len(values) != 1 {
		return errors.New("x-amz-date: expected one")
	}
	c.date = values[0]
	at, err := time.Parse(dateFormat, c.date)
	if err != nil || len(c.date) != len(dateFormat) || c.day() != day {
		return errors.New("x-amz-date: expected a time like 20260131T235959Z, on the day of the credential's scope")
	}
	if now.Sub(at).Abs() > MaxSkew {
		return errors.New("x-amz-date: more than five minutes from this machine's clock")
	}
	return nil
}

// Target returns the path and the query of a request as they arrived, neither
// decoded nor cleaned. Scheme and host, which some clients send before them,
// are taken off: net/http has made them the Host.
func Target(r *http.Request) (path, query string) {
	target := r.RequestURI
	if _, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		target = strings.TrimLeftFunc(rest, func(c rune) bool { return c != '/' && c != '?' })
	}
	path, query, _ = strings.Cut(target, "?")
	return path, query
}
