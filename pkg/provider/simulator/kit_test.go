package simulator

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// overTLS starts s on loopback and returns the standard client, as one who
// knows nothing of simulators would use it.
func overTLS(t *testing.T, s *Simulator) *http.Client {
	t.Helper()
	if err := s.ListenTLS("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.Roots()},
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			to, ok := s.Route(addr)
			if !ok {
				t.Errorf("dialled %s, want one", addr)
			}
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &http.Client{
		Transport:     transport,
		Timeout:       3 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// request is one request in the words of the documents.
type request struct {
	method, url, auth, kind, body string
}

func (a request) request() *http.Request {
	r, err := http.NewRequest(a.method, a.url, strings.NewReader(a.body))
	if err != nil {
		panic(err)
	}
	if a.auth != "" {
		r.Header.Set("Authorization", a.auth)
	}
	if a.kind != "" {
		r.Header.Set("Content-Type", a.kind)
	}
	return r
}

// result is a response, read to its end.
type result struct {
	status int
	header http.Header
	body   string
	fields map[string]any // nil where the body is no JSON object
	err    error          // of the exchange, or of reading the body
}

func (h result) text(name string) string {
	s, _ := h.fields[name].(string)
	return s
}

func roundTrip(c http.RoundTripper, a request) result { return roundTripRequest(c, a.request()) }

func roundTripRequest(c http.RoundTripper, r *http.Request) result {
	res, err := c.RoundTrip(r)
	return read(res, err)
}

// do goes through the whole http.Client, its time-out and redirects included.
func do(c *http.Client, a request) result {
	res, err := c.Do(a.request())
	return read(res, err)
}

func read(res *http.Response, err error) result {
	if err != nil {
		return result{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	h := result{status: res.StatusCode, header: res.Header, body: string(body), err: err}
	json.Unmarshal(body, &h.fields)
	return h
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

func form(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// exchange is the request for a token that the provider's document describes.
func exchange(name string) request {
	id, secret := "demo-"+name, "demo-secret-"+name
	credentials := form("grant_type", "client_credentials", "client_id", id, "client_secret", secret)
	switch name {
	case "minut":
		return request{
			"POST",
			"https://api.minut.com/v8/oauth/token",
			basic(id, secret),
			formType,
			form("grant_type", "client_credentials", "response_type", "token"),
		}
	case "movemint":
		return request{"POST", "https://www.movemint.cc/oauth/token", "", formType, credentials}
	case "trackmania":
		return request{"POST", "https://api.trackmania.com/api/access_token", "", formType, credentials}
	case "miden":
		return request{
			"POST",
			"https://auth.sandbox.miden.example/oauth/token",
			basic(id, secret),
			formType,
			form("grant_type", "client_credentials"),
		}
	}
	return request{
		"POST",
		"https://public-api.monta.com/api/v1/auth/token",
		"",
		"application/json",
		`{"clientId":"` + id + `","clientSecret":"` + secret + `"}`,
	}
}

// refreshing is the request that redeems a refresh token.
func refreshing(name, token string) request {
	if name == "monta" {
		return request{
			"POST",
			"https://public-api.monta.com/api/v1/auth/refresh",
			"",
			"application/json",
			`{"refreshToken":"` + token + `"}`,
		}
	}
	a := exchange(name)
	a.body = form(
		"grant_type",
		"refresh_token",
		"client_id",
		"demo-"+name,
		"client_secret",
		"demo-secret-"+name,
		"refresh_token",
		token,
	)
	return a
}

// The example of RFC 7636, appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// callback is where tests let users be sent to.
const callback = "http://127.0.0.1:54321/callback"

// grantedCode returns the code of a user's consent.
func grantedCode(t *testing.T, s *Simulator, name, scope string) string {
	t.Helper()
	code, err := s.IssueCode(name, "demo-"+name, "alice", scope, callback, challenge)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// exchanging is the request that exchanges a code; verifier "": without one.
func exchanging(name, code, verifier string) request {
	a := exchange(name)
	a.body = form(
		"grant_type",
		"authorization_code",
		"client_id",
		"demo-"+name,
		"client_secret",
		"demo-secret-"+name,
		"code",
		code,
		"redirect_uri",
		callback,
	)
	if verifier != "" {
		a.body += "&code_verifier=" + verifier
	}
	return a
}

// verifying is the GET that proves a token works, where there is one.
func verifying(name, token string) request {
	at := map[string]string{
		"minut":    "https://api.minut.com/v8/users/me",
		"movemint": "https://www.movemint.cc/oauth/token/info",
		"monta":    "https://public-api.monta.com/api/v1/auth/me",
	}
	return request{"GET", at[name], "Bearer " + token, "", ""}
}

// tokenIn is the access token of an answer.
func tokenIn(h result) string { return h.text("access_token") + h.text("accessToken") }

func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("a JWT of %d parts, want len(parts) = 3", len(parts))
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func set(t *testing.T, s *Simulator, name string, f Fault) {
	t.Helper()
	if err := s.SetFault(name, f); err != nil {
		t.Fatal(err)
	}
}
