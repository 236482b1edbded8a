package response

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/clientauth"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/provider/body"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const plain = `{"token":{"url":"https://login.test/token"},"refresh":{}}`

// tokenRequest is the request that a response of the tests answers.
type tokenRequest struct {
	Grant   descriptor.Grant
	Refresh redact.String
}

var (
	creds = tokenRequest{Grant: descriptor.ClientCredentials}
	again = tokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("REFRESH_TOKEN")}
)

// want is what a token response is read as.
type want struct {
	access, refresh, kind string
	in                    time.Duration
	at                    string
}

// stamp returns a time as text, and the zero time as "".
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.RFC3339Nano)
}

// says answers each request alike.
func says(status int, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

// exchange reads the answer of a handler by a plain descriptor.
func exchange(t testing.TB, req tokenRequest, handler http.HandlerFunc) (TokenResponse, *Error) {
	t.Helper()
	return exchangeBy(t, plain, req, handler)
}

// exchangeBy reads the answer of a handler by a descriptor.
func exchangeBy(t testing.TB, text string, req tokenRequest, handler http.HandlerFunc) (TokenResponse, *Error) {
	t.Helper()
	w := httptest.NewRecorder()
	m := Message{SentAt: clock.Now()}
	handler(w, httptest.NewRequest(http.MethodPost, "https://login.test/token", nil))
	res := w.Result()
	defer res.Body.Close()
	m.Status, m.Header, m.At = res.StatusCode, res.Header, clock.Now()
	m.Header.Set("Date", m.At.Format(http.TimeFormat)) // as net/http does
	m.Body, _ = body.Read(m.Header, res.Body)
	return newRequest(t, text, req).Token(m)
}

// newRequest returns what is known of a request that a descriptor describes.
func newRequest(t testing.TB, text string, req tokenRequest) *Request {
	t.Helper()
	d, err := parser.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	q := &Request{Descriptor: d, Grant: req.Grant, Refresh: req.Refresh}
	// The parameters of a login have the secret.
	q.Authenticated = !d.EndpointFor(req.Grant).Auth.Has(clientauth.None) || req.Grant == descriptor.Login
	q.Mask.Add("CLIENT_SECRET")
	q.Mask.Add(req.Refresh.Reveal())
	return q
}

// must returns an error of that kind, or ends the test.
func must(t testing.TB, e *Error, kind Kind) *Error {
	t.Helper()
	if e == nil || e.Kind != kind {
		t.Fatalf("Token() = error %v, want one that is %v", e, kind)
	}
	return e
}
