package local

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

const (
	signedService = "execute-api"
	// maxSkew is how far from our clock a request may be dated, as at AWS.
	maxSkew    = 5 * time.Minute
	dateFormat = "20060102T150405Z"
)

// The headers that matter to a signature, as SignedHeaders spells them.
const (
	hostHeader   = "host"
	dateHeader   = "x-amz-date"
	tokenHeader  = "x-amz-security-token" // #nosec G101 -- the name of a header
	sumHeader    = "x-amz-content-sha256"
	lengthHeader = "content-length"
)

// authorization is the header, taken apart.
type authorization struct{ keyID, day, region, service, headers, signature string }

// authorizationOf reads the one form of the header that is understood; between its parts a comma, with or without a space. A regular expression for it took nearly half of a signature's check.
func authorizationOf(value string) (a authorization, ok bool) {
	rest, is := strings.CutPrefix(value, "AWS4-HMAC-SHA256 Credential=")
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
		isOf(a.keyID, lower+upper+digits+"_.-", 1, 128) && isOf(a.day, digits, 8, 8) &&
		isOf(a.region, lower+digits+"-", 1, 64) && isOf(a.service, lower+digits+"-", 1, 64) &&
		isOf(a.headers, lower+digits+"_.;-", 1, 1000) && isOf(a.signature, "0123456789abcdef", 64, 64)
	return a, ok
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

// isOf says whether s holds nothing but those characters, and how many.
func isOf(s, characters string, least, most int) bool {
	return len(s) >= least && len(s) <= most && strings.Trim(s, characters) == ""
}

// keyring checks signatures (AWS Signature Version 4) as API Gateway does, but for two things: a presigned query is refused, and a session token must be signed and is not looked at otherwise, for these keys have none.
type keyring struct {
	region string
	byID   map[string]Key
	nobody Key // signs for ids that are not known, so that those take the same path and time as a wrong secret
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
	at               time.Time
}

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
	err := c.dated(r.Header["X-Amz-Date"], a.day, now)
	return c, err
}

// covers says whether the headers that must be signed are.
func (c claim) covers(h http.Header) error {
	if !slices.IsSorted(c.signed) || len(slices.Compact(slices.Clone(c.signed))) != len(c.signed) {
		return errors.New("SignedHeaders: expected names in order, each once")
	}
	must := []string{hostHeader, dateHeader}
	if h.Get(tokenHeader) != "" {
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
func (c *claim) dated(values []string, day string, now time.Time) (err error) {
	if len(values) != 1 {
		return errors.New("x-amz-date: expected one")
	}
	if c.at, err = time.Parse(dateFormat, values[0]); err != nil || !strings.HasPrefix(values[0], day) {
		return errors.New("x-amz-date: expected a time like 20260131T235959Z, on the day of the credential's scope")
	}
	if now.Sub(c.at).Abs() > maxSkew {
		return errors.New("x-amz-date: more than five minutes from this machine's clock")
	}
	return nil
}

// prove returns the ARN that the request's signature proves.
func (k *keyring) prove(c claim, r *http.Request, body payload) (arn string, err error) {
	if sums := r.Header.Values(sumHeader); len(sums) > 1 || len(sums) == 1 && sums[0] != body.sum {
		return "", errors.New(sumHeader + ": expected the SHA-256 of the body")
	}
	rebuilt, err := c.rebuild(r, body)
	if err != nil {
		return "", err
	}
	key, known := k.byID[c.keyID]
	if !known {
		key = k.nobody
	}
	equal := subtle.ConstantTimeCompare([]byte(c.sign(rebuilt, key, k.region, body.sum)), []byte(c.signature)) == 1
	switch {
	case !known:
		return "", errors.New("the access key id is not known")
	case !equal:
		return "", errors.New("the signature does not match: another secret, or what was signed is not what arrived")
	}
	return key.ARN, nil
}

// rebuild is the request with nothing but what its claim says is signed.
func (c claim) rebuild(r *http.Request, body payload) (*http.Request, error) {
	path, query := onTheWire(r)
	if !strings.HasPrefix(path, "/") {
		return nil, errors.New("the request's target: expected a path")
	}
	if _, err := url.ParseQuery(query); err != nil {
		return nil, errors.New("the query: expected name=value pairs, percent-encoded") // the signer would pass over a pair that does not parse
	}
	rebuilt := &http.Request{Method: r.Method, Host: r.Host, Header: http.Header{}, URL: &url.URL{Opaque: "//host" + path, RawQuery: query}}
	for _, name := range c.signed {
		values := r.Header.Values(name)
		switch {
		case name == hostHeader, name == dateHeader: // the signer has them from Host and from the time
		case name == lengthHeader:
			rebuilt.ContentLength = body.length
		case len(values) == 0:
			return nil, errors.New("SignedHeaders: a header that is not there")
		default:
			rebuilt.Header[name] = values // in lower case: the signer passes over User-Agent and others in their canonical form
		}
	}
	return rebuilt, nil
}

// sign returns the signature that the key gives to a rebuilt request. Each time with a new signer: the signer's cache of derived keys knows them by id alone, and tells by its speed which it has seen.
func (c claim) sign(rebuilt *http.Request, key Key, region, sum string) string {
	credentials := aws.Credentials{AccessKeyID: key.ID, SecretAccessKey: key.Secret.Reveal()}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, rebuilt, sum, signedService, region, c.at); err != nil {
		return ""
	}
	_, signature, _ := strings.Cut(rebuilt.Header.Get("Authorization"), "Signature=")
	return signature
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
