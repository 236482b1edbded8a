package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// authorizationForm is what parseAuthorization accepts.
var authorizationForm = regexp.MustCompile(`^AWS4-HMAC-SHA256 ` +
	`Credential=([A-Za-z0-9_.-]{1,128})/([0-9]{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request, ?` +
	`SignedHeaders=([a-z0-9_.;-]{1,1000}), ?Signature=([0-9a-f]{64})$`)

// FuzzParseAuthorization compares the parser with a regular expression.
func FuzzParseAuthorization(f *testing.F) {
	good := "AWS4-HMAC-SHA256 Credential=local/20260131/us-east-1/execute-api/aws4_request, " +
		"SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0a", 32)
	f.Add(good)
	f.Add(strings.ReplaceAll(good, ", ", ","))
	for _, part := range []string{
		"AWS4-", "local", "/", "2026", "us-east-1", "aws4_request", ", ", "SignedHeaders", "host", ";", "Signature=",
		"0a",
	} {
		f.Add(strings.Replace(good, part, "", 1))
		f.Add(strings.Replace(good, part, part+part, 1))
		f.Add(strings.Replace(good, part, part+",", 1))
		f.Add(strings.Replace(good, part, part+" é\n", 1))
	}
	f.Fuzz(func(t *testing.T, value string) {
		want := authorizationForm.FindStringSubmatch(value)
		a, ok := parseAuthorization(value)
		if ok != (want != nil) {
			t.Fatalf("parseAuthorization(%q) reports %t, want %t", value, ok, want != nil)
		}
		got := []string{a.keyID, a.day, a.region, a.service, a.headers, a.signature}
		if ok && !slices.Equal(got, want[1:]) {
			t.Errorf("parseAuthorization(%q) = %q, want %q", value, got, want[1:])
		}
	})
}

// ambiguous reports whether the SDK's signer and the verifier need not agree
// on a request: no client can send it, or the SDK leaves the header out.
func ambiguous(path, query, host, name, value string) bool {
	_, err := url.ParseQuery(query)
	left := []string{
		"host", "x-amz-date", "authorization", "content-length", "user-agent", "x-amzn-trace-id", "expect",
		"transfer-encoding",
	}
	return err != nil || strings.ContainsAny(path+query+host+name+value, "\x00\r\n") ||
		strings.ContainsAny(path, "?") ||
		!strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") ||
		!consistsOf(name, scopeCharacters, 1, 40) ||
		slices.Contains(left, name)
}

func sumOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// FuzzSignature compares signatures with those of the SDK's signer.
func FuzzSignature(f *testing.F) {
	f.Add("GET", "/tokens/minut", "", "127.0.0.1:3000", "x-note", "  a   b ", []byte(nil))
	f.Add("POST", "/tokens/%6dinut;a=b/../x//y/ é", "scope=write+read&account=a%20b&a-b=1&a=2&a=1&empty", "host",
		"content-type", "application/json", []byte("{}"))
	f.Add("DELETE", "/", "a=%2F&b=~-_.!*'()&c=%E2%82%AC", "host:443",
		"x-amz-security-token", "a//session+token==", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path, query, host, name, value string, content []byte) {
		name = strings.ToLower(name)
		if ambiguous(path, query, host, name, value) {
			return
		}
		const secret, region = "s3cr/t+", "us-east-1"
		at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
		theirs := &http.Request{
			Method: method, Host: host, Header: http.Header{name: {value}},
			URL: &url.URL{Opaque: "//host" + path, RawQuery: query}, ContentLength: int64(len(content)),
		}
		keys := aws.Credentials{AccessKeyID: "local", SecretAccessKey: secret}
		if v4.NewSigner().SignHTTP(t.Context(), keys, theirs, sumOf(content), executeapi.Service, region, at) != nil {
			return // the SDK's signer refuses it
		}
		_, want, _ := strings.Cut(theirs.Header.Get("Authorization"), "Signature=")

		c := Claim{date: at.Format(dateFormat), signed: []string{"host", name, "x-amz-date"}}
		if len(content) > 0 {
			c.signed = append(c.signed, "content-length")
		}
		slices.Sort(c.signed)
		header := http.Header{http.CanonicalHeaderKey(name): {value}, "X-Amz-Date": {at.Format(dateFormat)}}
		r := &http.Request{Method: method, Host: host, RequestURI: path, Header: header}
		if query != "" {
			r.RequestURI += "?" + query
		}
		canonical, err := c.appendCanonicalRequest(nil, r, Body{Length: int64(len(content)), SHA256: sumOf(content)})
		if err != nil {
			t.Fatalf("appendCanonicalRequest() = %v, want none", err)
		}
		key := newSigningKey(redact.New(secret), at.Format(dayFormat), region)
		if got := string(appendSignature(nil, key, at.Format(dateFormat), region, canonical)); got != want {
			t.Errorf("signature of %q = %s, want %s", canonical, got, want)
		}
	})
}
