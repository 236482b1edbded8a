package testbed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	mostSkewed = 5 * time.Minute // between a request's date and the local clock
)

// mustSign are the headers that determine the caller, time and action. A
// signature that omits one proves nothing.
var mustSign = []string{"host", "x-amz-date", "x-amz-security-token"}

// signature is a parsed Authorization header of AWS Signature Version 4.
type signature struct {
	key, day, region, service, end string // the credential's scope
	headers                        []string
	value                          string
}

// readSignature returns nil for a header in another form.
func readSignature(header string) *signature {
	rest, is := strings.CutPrefix(header, algorithm+" ")
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if !is || len(scope) != 5 || parts["SignedHeaders"] == "" || parts["Signature"] == "" {
		return nil
	}
	return &signature{
		key: scope[0], day: scope[1], region: scope[2], service: scope[3], end: scope[4],
		headers: strings.Split(parts["SignedHeaders"], ";"), value: parts["Signature"],
	}
}

// checkSignature returns what is wrong with a request's signature, or nil if a
// current signature by keys covers this request with its body, for the service
// and region.
func checkSignature(r *http.Request, body []byte, keys aws.Credentials, region, service string) *refusal {
	s := readSignature(r.Header.Get("Authorization"))
	if s == nil {
		return refuse("MissingAuthenticationTokenException", "Request is missing Authentication Token")
	}
	if s.key != keys.AccessKeyID || r.Header.Get("X-Amz-Security-Token") != keys.SessionToken {
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if s.region != region || s.service != service || s.end != "aws4_request" {
		return refuse("InvalidSignatureException", "Credential should be scoped to "+region+"/"+service)
	}
	for _, name := range mustSign {
		if !slices.Contains(s.headers, name) {
			return refuse("IncompleteSignatureException", "not signed: "+name)
		}
	}
	if r.Header.Get("X-Amz-Target") != "" && !slices.Contains(s.headers, "x-amz-target") {
		return refuse("IncompleteSignatureException", "not signed: x-amz-target")
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil || time.Since(at).Abs() > mostSkewed || s.day != at.Format("20060102") {
		return refuse("InvalidSignatureException", "Signature expired, or not yet current")
	}
	if again := s.again(r, body, keys, at); subtle.ConstantTimeCompare([]byte(again), []byte(s.value)) != 1 {
		return refuse(
			"InvalidSignatureException",
			"The request signature we calculated does not match the signature you provided.",
		)
	}
	return nil
}

// again signs a copy of the request that holds only what is declared as signed.
func (s *signature) again(r *http.Request, body []byte, keys aws.Credentials, at time.Time) string {
	copied := r.Clone(context.Background())
	copied.URL.Host, copied.Header, copied.ContentLength = r.Host, http.Header{}, 0
	for _, name := range s.headers {
		if name == "content-length" {
			copied.ContentLength = int64(len(body))
		} else if values := r.Header.Values(name); len(values) > 0 && name != "x-amz-date" {
			copied.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	copied.Body = io.NopCloser(bytes.NewReader(body))
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(
		copied.Context(), keys, copied, hex.EncodeToString(sum[:]), s.service, s.region, at,
	); err != nil {
		return ""
	}
	signed := readSignature(copied.Header.Get("Authorization"))
	if signed == nil || !slices.Equal(signed.headers, s.headers) {
		return ""
	}
	return signed.value
}
