package local

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// knock is a front door that notes who came through, and whose key is anew for each run.
type knock struct {
	*gateway
	key  Key
	came *vend.HTTPRequest // nil: nobody
}

func newKnock() *knock {
	k := &knock{key: local("local", rand.Text(), "")}
	echo := func(_ context.Context, r vend.HTTPRequest) vend.HTTPReply {
		k.came = &r
		return vend.HTTPReply{Status: http.StatusOK}
	}
	k.gateway = newGateway("us-east-1", principals([]Key{k.key}), slog.New(slog.DiscardHandler))
	k.answer = echo
	return k
}

// at sends a request as net/http would have read it off the wire, and says whether it came through.
func (k *knock) at(method, target string, header http.Header, body string) bool {
	k.came = nil
	r := &http.Request{Method: method, RequestURI: target, Host: "door.test", Header: header, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
	w := httptest.NewRecorder()
	k.ServeHTTP(w, r)
	return w.Code != http.StatusForbidden || k.came != nil
}

// Who does not know the key does not come in, whatever is written into the headers.
func FuzzForgedSignature(f *testing.F) {
	now := time.Now().UTC().Format("20060102T150405Z")
	claim := "AWS4-HMAC-SHA256 Credential=local/" + now[:8] + "/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	for _, signature := range []string{"", strings.Repeat("0", 64), sumOf(""), "é"} {
		f.Add("GET", "/tokens/minut?scope=a", claim+signature, now, "x-amz-security-token", "", "")
	}
	f.Add("POST", "http://door.test/tokens", strings.Replace(claim, "host;", "content-length;host;", 1)+sumOf(""), now, "X-Amz-Content-Sha256", sumOf("{}"), "{}")
	f.Add("", "*", "AWS4-HMAC-SHA256 ", "20260101T000000Z", "Host", "other", "\xff")
	k := newKnock()
	f.Fuzz(func(t *testing.T, method, target, authorization, date, name, value, body string) {
		header := http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}}
		header[http.CanonicalHeaderKey(name)] = []string{value}
		if k.at(method, target, header, body) {
			t.Fatalf("%s %q came in by %q", method, target, authorization)
		}
	})
}

// A signed request comes in as it was sent, or not at all; with one digit of its signature, its path or its body changed, not at all.
func FuzzSpoiltSignature(f *testing.F) {
	f.Add("GET", "/tokens/minut", "scope=a&audience=b", "", uint8(0))
	f.Add("POST", "/tokens/%6dinut;a//..", "a=1&a=0&b", "{}", uint8(63))
	f.Add("DELETE", "/", "%zz", "\xff", uint8(7))
	k := newKnock()
	f.Fuzz(func(t *testing.T, method, path, query, body string, at uint8) {
		target := "/" + strings.TrimLeft(path, "/") + "?" + query
		r, err := http.NewRequest(method, "http://door.test"+target, nil)
		if err != nil || r.URL.Fragment != "" {
			t.Skip("no client can send that")
		}
		keys := aws.Credentials{AccessKeyID: k.key.ID, SecretAccessKey: k.key.Secret.Reveal()}
		if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, sumOf(body), executeapi.Service, "us-east-1", time.Now()); err != nil {
			t.Skip("nor can it be signed")
		}
		if k.at(method, target, r.Header, body) && (k.came == nil || k.came.Path+"?"+k.came.Query != target || string(k.came.Body) != body[:min(len(body), vend.MaxBody+1)]) {
			t.Fatalf("%q with %q came in as %+v", target, body, k.came)
		}
		if k.at(method, target, r.Header, body+"x") || k.at(method, "/x"+target, r.Header, body) || k.at(method+"X", target, r.Header, body) {
			t.Fatalf("%q, which was signed, came in as something else", target)
		}
		signed := []byte(r.Header.Get("Authorization"))
		digit := len(signed) - 64 + int(at)%64
		signed[digit] = "123456789abcdef0"[strings.IndexByte("0123456789abcdef", signed[digit])]
		if r.Header.Set("Authorization", string(signed)); k.at(method, target, r.Header, body) {
			t.Fatalf("%q came in with another signature", target)
		}
	})
}
