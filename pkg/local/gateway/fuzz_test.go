package gateway

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

	"github.com/tokenvend/tokenvend/internal/signedrequest"
	"github.com/tokenvend/tokenvend/pkg/executeapi"
	"github.com/tokenvend/tokenvend/pkg/vend"
)

// recording is a gateway with a random key, and the last request that it has
// passed on.
type recording struct {
	*Gateway
	key    Key
	passed *vend.HTTPRequest // nil: none
}

func newRecording() *recording {
	g := &recording{key: newKey("local", rand.Text(), "")}
	record := func(_ context.Context, r vend.HTTPRequest) vend.HTTPReply {
		g.passed = &r
		return vend.HTTPReply{Status: http.StatusOK}
	}
	g.Gateway = New("us-east-1", []Key{g.key}, record, slog.New(slog.DiscardHandler))
	return g
}

// admits sends a request as net/http would have read it from a connection, and
// reports whether the gateway does not refuse it.
func (g *recording) admits(method, target string, header http.Header, body string) bool {
	g.passed = nil
	r := &http.Request{
		Method: method, RequestURI: target, Host: "gateway.test", Header: header,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	w := httptest.NewRecorder()
	g.ServeHTTP(w, r)
	return w.Code != http.StatusForbidden || g.passed != nil
}

// Without the key no request is admitted, whatever its headers say.
func FuzzForgedSignature(f *testing.F) {
	now := time.Now().UTC().Format("20060102T150405Z")
	claim := "AWS4-HMAC-SHA256 Credential=local/" + now[:8] +
		"/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature="
	for _, signature := range []string{"", strings.Repeat("0", 64), signedrequest.SHA256(""), "é"} {
		f.Add("GET", "/tokens/minut?scope=a", claim+signature, now, "x-amz-security-token", "", "")
	}
	f.Add(
		"POST", "http://gateway.test/tokens",
		strings.Replace(claim, "host;", "content-length;host;", 1)+signedrequest.SHA256(""), now,
		"X-Amz-Content-Sha256", signedrequest.SHA256("{}"), "{}",
	)
	f.Add("", "*", "AWS4-HMAC-SHA256 ", "20260101T000000Z", "Host", "other", "\xff")
	g := newRecording()
	f.Fuzz(func(t *testing.T, method, target, authorization, date, name, value, body string) {
		header := http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}}
		header[http.CanonicalHeaderKey(name)] = []string{value}
		if g.admits(method, target, header, body) {
			t.Fatalf("%s %q with Authorization %q = admitted, want 403", method, target, authorization)
		}
	})
}

// A signed request is passed on as it was sent, or refused. With one digit of
// its signature, its path, its method or its body changed it is refused.
func FuzzAlteredSignature(f *testing.F) {
	f.Add("GET", "/tokens/minut", "scope=a&audience=b", "", uint8(0))
	f.Add("POST", "/tokens/%6dinut;a//..", "a=1&a=0&b", "{}", uint8(63))
	f.Add("DELETE", "/", "%zz", "\xff", uint8(7))
	g := newRecording()
	f.Fuzz(func(t *testing.T, method, path, query, body string, at uint8) {
		target := "/" + strings.TrimLeft(path, "/") + "?" + query
		r, err := http.NewRequest(method, "http://gateway.test"+target, nil)
		if err != nil || r.URL.Fragment != "" {
			t.Skip("no client can send that")
		}
		keys := aws.Credentials{AccessKeyID: g.key.ID, SecretAccessKey: g.key.Secret.Reveal()}
		err = v4.NewSigner().SignHTTP(
			t.Context(), keys, r, signedrequest.SHA256(body), executeapi.Service, "us-east-1", time.Now(),
		)
		if err != nil {
			t.Skip("the SDK does not sign that")
		}
		start := body[:min(len(body), vend.MaxBody+1)]
		if g.admits(method, target, r.Header, body) &&
			(g.passed == nil || g.passed.Path+"?"+g.passed.Query != target || string(g.passed.Body) != start) {
			t.Fatalf("%q with the body %q was passed on as %+v, want it unchanged", target, body, g.passed)
		}
		if g.admits(method, target, r.Header, body+"x") || g.admits(method, "/x"+target, r.Header, body) ||
			g.admits(method+"X", target, r.Header, body) {
			t.Fatalf("%q with another body, path or method = admitted, want 403", target)
		}
		signed := []byte(r.Header.Get("Authorization"))
		digit := len(signed) - 64 + int(at)%64
		signed[digit] = "123456789abcdef0"[strings.IndexByte("0123456789abcdef", signed[digit])]
		if r.Header.Set("Authorization", string(signed)); g.admits(method, target, r.Header, body) {
			t.Fatalf("%q with digit %d of its signature changed = admitted, want 403", target, at%64)
		}
	})
}
