package local

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// authorizationForm is the header, said once more.
var authorizationForm = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9_.-]{1,128})/([0-9]{8})/([a-z0-9-]{1,64})/([a-z0-9-]{1,64})/aws4_request, ?SignedHeaders=([a-z0-9_.;-]{1,1000}), ?Signature=([0-9a-f]{64})$`)

func FuzzAuthorization(f *testing.F) {
	good := "AWS4-HMAC-SHA256 Credential=local/20260131/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + strings.Repeat("0a", 32)
	f.Add(good)
	f.Add(strings.ReplaceAll(good, ", ", ","))
	for _, part := range []string{"AWS4-", "local", "/", "2026", "us-east-1", "aws4_request", ", ", "SignedHeaders", "host", ";", "Signature=", "0a"} {
		f.Add(strings.Replace(good, part, "", 1))
		f.Add(strings.Replace(good, part, part+part, 1))
		f.Add(strings.Replace(good, part, part+",", 1))
		f.Add(strings.Replace(good, part, part+" é\n", 1))
	}
	f.Fuzz(func(t *testing.T, value string) {
		want := authorizationForm.FindStringSubmatch(value)
		a, ok := authorizationOf(value)
		if ok != (want != nil) {
			t.Fatalf("%q is understood: %t", value, ok)
		}
		if got := []string{a.keyID, a.day, a.region, a.service, a.headers, a.signature}; ok && strings.Join(got, " ") != strings.Join(want[1:], " ") {
			t.Errorf("%q reads %q, want %q", value, got, want[1:])
		}
	})
}

// FuzzSignature holds signatures to those of the SDK's signer.
func FuzzSignature(f *testing.F) {
	f.Add("GET", "/tokens/minut", "", "127.0.0.1:3000", "x-note", "  a   b ", []byte(nil))
	f.Add("POST", "/tokens/%6dinut;a=b/../x//y/ é", "scope=write+read&account=a%20b&a-b=1&a=2&a=1&empty", "host", "content-type", "application/json", []byte("{}"))
	f.Add("DELETE", "/", "a=%2F&b=~-_.!*'()&c=%E2%82%AC", "host:443", "x-amz-security-token", "a//session+token==", []byte(nil))
	f.Fuzz(func(t *testing.T, method, path, query, host, name, value string, content []byte) {
		name = strings.ToLower(name)
		_, err := url.ParseQuery(query)
		odd := strings.ContainsAny(path+query+host+name+value, "\x00\r\n") || strings.ContainsAny(path, "?") || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//")
		if err != nil || odd || !isOf(name, scopeCharacters, 1, 40) || slices.Contains([]string{"host", "x-amz-date", "authorization", "content-length", "user-agent", "x-amzn-trace-id", "expect", "transfer-encoding"}, name) {
			return // not a request that both understand
		}
		at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
		theirs := &http.Request{Method: method, Host: host, Header: http.Header{name: {value}}, URL: &url.URL{Opaque: "//host" + path, RawQuery: query}, ContentLength: int64(len(content))}
		if err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: "local", SecretAccessKey: "s3cr/t+"}, theirs, sumOf(string(content)), signedService, "us-east-1", at); err != nil {
			return // one that the SDK's signer does not take
		}
		_, want, _ := strings.Cut(theirs.Header.Get("Authorization"), "Signature=")

		c := claim{date: at.Format(dateFormat), signed: []string{"host", name, "x-amz-date"}}
		if len(content) > 0 {
			c.signed = append(c.signed, "content-length")
		}
		slices.Sort(c.signed)
		r := &http.Request{Method: method, Host: host, RequestURI: path, Header: http.Header{http.CanonicalHeaderKey(name): {value}, "X-Amz-Date": {at.Format(dateFormat)}}}
		if query != "" {
			r.RequestURI += "?" + query
		}
		canonical, err := c.canonical(r, payload{length: int64(len(content)), sum: sumOf(string(content))})
		if err != nil {
			t.Fatal(err)
		}
		if got := signature(signingKey(redact.New("s3cr/t+"), at.Format(dayFormat), "us-east-1"), at.Format(dateFormat), "us-east-1", canonical); got != want {
			t.Errorf("signed %q:\n%s, want %s", canonical, got, want)
		}
	})
}
