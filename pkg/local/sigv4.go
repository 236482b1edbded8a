package local

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	signedService = "execute-api"
	// maxSkew is how far from our clock a request may be dated, as at AWS.
	maxSkew    = 5 * time.Minute
	dateFormat = "20060102T150405Z"
	dayFormat  = "20060102"
)

// The headers that matter to a signature, as SignedHeaders spells them, and as net/http does.
const (
	hostHeader   = "host"
	lengthHeader = "content-length"
	dateHeader   = "x-amz-date"
	httpDate     = "X-Amz-Date"
	tokenHeader  = "x-amz-security-token" // #nosec G101 -- the name of a header
	httpToken    = "X-Amz-Security-Token" // #nosec G101 -- the name of a header
	httpSum      = "X-Amz-Content-Sha256"
)

// authorization is the header, taken apart.
type authorization struct{ keyID, day, region, service, headers, signature string }

// authorizationOf reads the one form of the header that is understood; between its parts a comma, with or without a space. A regular expression for it took nearly half of a signature's check.
func authorizationOf(value string) (a authorization, ok bool) {
	rest, is := strings.CutPrefix(value, algorithm+" Credential=")
	credential, rest, follows := strings.Cut(rest, ",")
	headers, isHeaders := strings.CutPrefix(strings.TrimPrefix(rest, " "), "SignedHeaders=")
	headers, rest, ends := strings.Cut(headers, ",")
	signature, isSignature := strings.CutPrefix(strings.TrimPrefix(rest, " "), "Signature=")
	a.keyID, rest, _ = strings.Cut(credential, "/")
	a.day, rest, _ = strings.Cut(rest, "/")
	a.region, rest, _ = strings.Cut(rest, "/")
	a.service, rest, _ = strings.Cut(rest, "/")
	a.headers, a.signature = headers, signature
	ok = is && follows && isHeaders && ends && isSignature && rest == "aws4_request" &&
		isOf(a.keyID, idCharacters, 1, 128) && isOf(a.day, digits, 8, 8) &&
		isOf(a.region, scopeCharacters, 1, 64) && isOf(a.service, scopeCharacters, 1, 64) &&
		isOf(a.headers, headerCharacters, 1, 1000) && isOf(a.signature, hexadecimal, 64, 64)
	return a, ok
}

// characters is a set of them.
type characters [256]bool

func of(all string) *characters {
	var set characters
	for i := range len(all) {
		set[all[i]] = true
	}
	return &set
}

const (
	lower = "abcdefghijklmnopqrstuvwxyz"
	upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digit = "0123456789"
)

var (
	digits           = of(digit)
	hexadecimal      = of(digit + "abcdef")
	idCharacters     = of(lower + upper + digit + "_.-")
	scopeCharacters  = of(lower + digit + "-")
	headerCharacters = of(lower + digit + "_.;-")
	unreserved       = of(lower + upper + digit + "-._~") // of a URL: RFC 3986
	pathCharacters   = of(lower + upper + digit + "-._~/")
)

// isOf says whether s holds nothing but those characters, and a number of them within the bounds.
func isOf(s string, set *characters, least, most int) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for i := range len(s) {
		if !set[s[i]] {
			return false
		}
	}
	return true
}

// keyring checks signatures (AWS Signature Version 4) as API Gateway does, but for two things: a presigned query is refused, and a session token must be signed and is not looked at otherwise, for these keys have none.
type keyring struct {
	region string
	byID   map[string]Key
	nobody Key // signs for ids that are not known, so that those take the same path and time as a wrong secret
	today  atomic.Pointer[daily]
}

func newKeyring(region string, keys []Key) *keyring {
	k := &keyring{region: region, byID: map[string]Key{}, nobody: Key{Secret: redact.New(rand.Text())}}
	for _, key := range keys {
		k.byID[key.ID] = key
	}
	return k
}

// claim is what a request says of its own signature: nothing of it is proven.
type claim struct {
	keyID, signature string
	signed           []string // names of headers
	date             string   // like 20260131T235959Z
}

// day is the one that the signing key was made for.
func (c claim) day() string { return c.date[:len(dayFormat)] }

// claimed reads the claim, and refuses what no signature could make right. Errors of claimed and of [keyring.prove] show nothing that the request held.
func (k *keyring) claimed(r *http.Request, now time.Time) (claim, error) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return claim{}, errors.New("not signed: expected one Authorization header; a presigned query is not understood")
	}
	a, ok := authorizationOf(values[0])
	if !ok {
		return claim{}, errors.New("the Authorization header: expected AWS4-HMAC-SHA256 with Credential, SignedHeaders and Signature")
	}
	c := claim{keyID: a.keyID, signed: strings.Split(a.headers, ";"), signature: a.signature}
	if a.region != k.region || a.service != signedService {
		return claim{}, errors.New("the credential's scope: expected " + k.region + "/" + signedService)
	}
	if err := c.covers(r.Header); err != nil {
		return claim{}, err
	}
	err := c.dated(r.Header[httpDate], a.day, now)
	return c, err
}

// covers says whether the headers that must be signed are.
func (c claim) covers(h http.Header) error {
	if !slices.IsSorted(c.signed) || len(slices.Compact(slices.Clone(c.signed))) != len(c.signed) {
		return errors.New("SignedHeaders: expected names in order, each once")
	}
	must := []string{hostHeader, dateHeader}
	if len(h[httpToken]) > 0 {
		must = append(must, tokenHeader)
	}
	for _, name := range must {
		if !slices.Contains(c.signed, name) {
			return errors.New("SignedHeaders: expected " + name + " among them")
		}
	}
	return nil
}

// dated reads the request's date and holds it against the scope's and the clock.
func (c *claim) dated(values []string, day string, now time.Time) error {
	if len(values) != 1 {
		return errors.New("x-amz-date: expected one")
	}
	c.date = values[0]
	at, err := time.Parse(dateFormat, c.date)
	if err != nil || len(c.date) != len(dateFormat) || c.day() != day {
		return errors.New("x-amz-date: expected a time like 20260131T235959Z, on the day of the credential's scope")
	}
	if now.Sub(at).Abs() > maxSkew {
		return errors.New("x-amz-date: more than five minutes from this machine's clock")
	}
	return nil
}

// prove returns the key that has signed the request.
func (k *keyring) prove(c claim, r *http.Request, body payload) (Key, error) {
	if sums := r.Header[httpSum]; len(sums) > 1 || len(sums) == 1 && sums[0] != body.sum {
		return Key{}, errors.New("x-amz-content-sha256: expected the SHA-256 of the body")
	}
	canonical, err := c.canonical(r, body)
	if err != nil {
		return Key{}, err
	}
	key, known := k.byID[c.keyID]
	signing := k.derived(c.day())
	secret := signing.nobody
	if known {
		secret = signing.byID[c.keyID]
	}
	equal := subtle.ConstantTimeCompare([]byte(signature(secret, c.date, k.region, canonical)), []byte(c.signature)) == 1
	switch {
	case !known:
		return Key{}, errors.New("the access key id is not known")
	case !equal:
		return Key{}, errors.New("the signature does not match: another secret, or what was signed is not what arrived")
	}
	return key, nil
}

// onTheWire is the path and the query as they arrived, neither decoded nor cleaned. Scheme and host, which some clients put before them, are taken off: net/http has made them the Host.
func onTheWire(r *http.Request) (path, query string) {
	target := r.RequestURI
	if _, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		target = strings.TrimLeftFunc(rest, func(c rune) bool { return c != '/' && c != '?' })
	}
	path, query, _ = strings.Cut(target, "?")
	return path, query
}
