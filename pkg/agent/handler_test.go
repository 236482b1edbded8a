package agent

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

const testKey = "IQoJb3JpZ2luX2VjE-a-session-token"

// serve has a handler answer a request of localhost.
func serve(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:2774"
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		} else {
			r.Header.Add(header[i], header[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	fake := &clienttest.Server{}
	a := New(Config{Transport: fake})
	defer a.Close()
	for _, c := range []struct {
		name, method, target, body string
		status                     int
		says                       string
	}{
		{"a token", "GET", "/tokens/minut", "", 200, `"access_token":"token-1"`},
		{"a parameter", "GET", "/tokens/minut?scope=a%20b", "", 200, `"scope":"a b"`},
		{"a body", "POST", "/tokens/minut", `{"audience":"https://a.example"}`, 200, `"access_token":"token-`},
		{"a header value", "GET", "/authorization/minut", "", 200, "Bearer token-1"},
		{"an unknown parameter", "GET", "/tokens/minut?x=1", "", 400, "invalid_request"},
		{"an unknown field", "POST", "/tokens/minut", `{"x":1}`, 400, "invalid_request"},
		{"a method of operators", "DELETE", "/tokens/minut", "", 405, "expected one of GET, POST"},
		{"another method of operators", "PUT", "/tokens/minut", `{"renew":true}`, 405, "method_not_allowed"},
		{"the list", "GET", "/tokens", "", 404, "unknown_credential"},
		{"the status", "GET", "/tokens/minut/status", "", 404, "unknown_credential"},
		{"no name", "GET", "/tokens/", "", 404, "unknown_credential"},
		{"a name that is none", "GET", "/tokens/..", "", 404, "unknown_credential"},
		{"a name in capitals", "GET", "/tokens/MINUT", "", 404, "unknown_credential"},
		{"an encoded slash", "GET", "/tokens/a%2fb", "", 404, "unknown_credential"},
		{"POST for a header value", "POST", "/authorization/minut", "", 405, "expected one of GET"},
		{"a guessed path", "GET", "/", "", 404, "unknown_credential"},
		{"another guessed path", "GET", "/secretsmanager/get?secretId=minut", "", 404, "unknown_credential"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := serve(a.Handler(), c.method, c.target, c.body)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s %s = %d %s, want %d %s", c.method, c.target, w.Code, w.Body, c.status, c.says)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("%s %s has Cache-Control %q, want no-store", c.method, c.target, got)
			}
		})
	}
}

func TestTokenIsThatOfTheAPI(t *testing.T) {
	a := New(Config{Transport: &clienttest.Server{}})
	defer a.Close()
	var got api.Token
	w := serve(a.Handler(), "GET", "/tokens/minut", "")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("GET /tokens/minut = %s, want a token: %v", w.Body, err)
	}
	if got.AccessToken != "token-1" || got.TokenType != "Bearer" || got.Fingerprint == "" ||
		got.ExpiresIn == 0 || !got.CacheUntil.Before(got.ExpiresAt) {
		t.Errorf("GET /tokens/minut = %s, want all fields of a token", w.Body)
	}
}

func TestForwardAuth(t *testing.T) {
	a := New(Config{Transport: &clienttest.Server{}})
	defer a.Close()
	for _, c := range [][2]string{
		{"GET", "/forward-auth/minut"}, {"POST", "/forward-auth/minut"}, {"GET", "/forward-auth/minut/orders/7?q=1"},
	} {
		w := serve(a.Handler(), c[0], c[1], "")
		if got := w.Header().Get("Authorization"); w.Code != 200 || got != "Bearer token-1" || w.Body.Len() != 0 {
			t.Errorf("%s %s = %d, Authorization %q, want 200 and the token", c[0], c[1], w.Code, got)
		}
	}
	if w := serve(a.Handler(), "GET", "/forward-auth/", ""); w.Code != 400 || w.Header().Get("Authorization") != "" {
		t.Errorf("GET /forward-auth/ = %d, want 400 and no token", w.Code)
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		err    error
		status int
		says   []string
		header string // Retry-After
	}{
		{
			"a refusal of tokenvend",
			&api.Error{Code: api.ReauthorizationRequired, Detail: "connect again", RequestID: "r1"}, 424,
			[]string{`"code":"reauthorize"`, `"detail":"connect again"`, `"request_id":"r1"`}, "",
		},
		{
			"a time to wait", &api.Error{Code: api.ProviderUnavailable, Detail: "later", RetryAfter: 7e9}, 503,
			[]string{`"code":"provider_unavailable"`}, "7",
		},
		{"a refusal of IAM", &client.GatewayError{Status: 403}, 403, []string{"access_denied", "IAM policy"}, ""},
		{"a gateway", &client.GatewayError{Status: 502}, 503, []string{`"code":"tokenvend_unavailable"`}, ""},
		{"no answer", errors.New("no route to host"), 503, []string{`"tokenvend_unavailable"`, `"status":503`}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			fake := &clienttest.Server{}
			fake.Fail(c.err)
			a := New(Config{Transport: fake})
			defer a.Close()
			w := serve(a.Handler(), "GET", "/tokens/minut", "")
			if w.Code != c.status || w.Header().Get("Content-Type") != api.ProblemType {
				t.Errorf("GET /tokens/minut = %d %s, want %d and a problem", w.Code, w.Header(), c.status)
			}
			for _, s := range c.says {
				if !strings.Contains(w.Body.String(), s) {
					t.Errorf("GET /tokens/minut = %s, want %s", w.Body, s)
				}
			}
			if got := w.Header().Get("Retry-After"); got != c.header {
				t.Errorf("GET /tokens/minut has Retry-After %q, want %q", got, c.header)
			}
		})
	}
}

// The attacks on loopback: see the table in docs/explanation/security.md.
func TestGuard(t *testing.T) {
	fake := &clienttest.Server{}
	a := New(Config{Transport: fake})
	defer a.Close()
	guarded := Guard(redact.New(testKey), a.Handler())
	for _, c := range []struct {
		name   string
		header []string
		status int
	}{
		{"the key", []string{KeyHeader, testKey}, 200},
		{"the key, at an address", []string{KeyHeader, testKey, "Host", "127.0.0.1:2774"}, 200},
		{"the key, at an IPv6 address", []string{KeyHeader, testKey, "Host", "[::1]:2774"}, 200},
		{"no port", []string{KeyHeader, testKey, "Host", "[::1]"}, 200},
		{"no key", nil, 403},
		{"an empty key", []string{KeyHeader, ""}, 403},
		{"another key", []string{KeyHeader, testKey + "x"}, 403},
		{"a part of the key", []string{KeyHeader, testKey[:10]}, 403},
		{"two keys", []string{KeyHeader, "x", KeyHeader, testKey}, 403},
		{"the key in another header", []string{"Authorization", "Bearer " + testKey}, 403},
		{"DNS rebinding", []string{KeyHeader, testKey, "Host", "attacker.example:2774"}, 403},
		{"DNS rebinding, by such a name", []string{KeyHeader, testKey, "Host", "localhost.attacker.example"}, 403},
		{"a public address", []string{KeyHeader, testKey, "Host", "203.0.113.7:2774"}, 403},
		{"no host", []string{KeyHeader, testKey, "Host", ""}, 403},
		{"a web page", []string{KeyHeader, testKey, "Origin", "https://attacker.example"}, 403},
		{"a page of a file", []string{KeyHeader, testKey, "Origin", "null"}, 403},
		{"a page on this machine", []string{KeyHeader, testKey, "Origin", "http://localhost:2774"}, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/tokens/minut", "/authorization/minut", "/forward-auth/minut"} {
				w := serve(guarded, "GET", path, "", c.header...)
				if w.Code != c.status {
					t.Errorf("GET %s = %d %s, want %d", path, w.Code, w.Body, c.status)
				}
				shown := strings.Contains(w.Body.String(), "token-") || w.Header().Get("Authorization") != ""
				if c.status != 200 && shown {
					t.Errorf("GET %s = %s %v, want no token", path, w.Body, w.Header())
				}
			}
		})
	}
	if n := len(fake.Requests()); n != 1 {
		t.Errorf("requests to tokenvend = %d, want 1: who is refused causes none", n)
	}
}

// A browser asks first whether it may send the header, and is not told so.
func TestGuardAllowsNoOtherOrigin(t *testing.T) {
	a := New(Config{Transport: &clienttest.Server{}})
	defer a.Close()
	w := serve(Guard(redact.New(testKey), a.Handler()), "OPTIONS", "/tokens/minut", "",
		"Origin", "https://attacker.example", "Access-Control-Request-Method", "GET",
		"Access-Control-Request-Headers", KeyHeader)
	if w.Code != 403 {
		t.Errorf("OPTIONS /tokens/minut = %d, want 403", w.Code)
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("OPTIONS /tokens/minut has %s, want none of CORS", name)
		}
	}
}

func TestGuardWithoutAKeyAdmitsNobody(t *testing.T) {
	a := New(Config{Transport: &clienttest.Server{}})
	defer a.Close()
	if w := serve(Guard(redact.String{}, a.Handler()), "GET", "/tokens/minut", "", KeyHeader, ""); w.Code != 403 {
		t.Errorf("GET /tokens/minut without a key = %d, want 403", w.Code)
	}
}

func TestTokenEndpoint(t *testing.T) {
	fake := &clienttest.Server{}
	a := New(Config{Transport: fake, Credentials: []string{"minut"}})
	defer a.Close()
	guarded := Guard(redact.New(testKey), a.Handler())
	form := func(pairs ...string) string {
		values := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			values.Set(pairs[i], pairs[i+1])
		}
		return values.Encode()
	}
	basic := httptest.NewRequest("POST", "/", nil)
	basic.SetBasicAuth("minut", url.QueryEscape(testKey))
	const granted = "client_credentials"
	grant := func(name, secret string, more ...string) string {
		return form(append([]string{"grant_type", granted, "client_id", name, "client_secret", secret}, more...)...)
	}
	for _, c := range []struct {
		name, method, body, authorization string
		status                            int
		says                              string
	}{
		{"in the form", "POST", grant("minut", testKey), "", 200, "token-1"},
		{"by Basic", "POST", form("grant_type", granted), basic.Header.Get("Authorization"), 200, "token-1"},
		{"a scope", "POST", grant("minut", testKey, "scope", "b a"), "", 200, `"scope":"a b"`},
		{"a wrong secret", "POST", grant("minut", "x"), "", 401, "invalid_client"},
		{"no secret", "POST", form("grant_type", granted, "client_id", "minut"), "", 401, "invalid_client"},
		{"another credential", "POST", grant("monta", testKey), "", 401, "invalid_client"},
		{"another grant", "POST", grant("minut", testKey, "grant_type", "password"), "", 400, "unsupported_grant_type"},
		{"GET", "GET", "", basic.Header.Get("Authorization"), 401, "invalid_client"},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := []string{"Content-Type", "application/x-www-form-urlencoded"}
			if c.authorization != "" {
				header = append(header, "Authorization", c.authorization)
			}
			w := serve(guarded, c.method, "/oauth2/token", c.body, header...)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s /oauth2/token = %d %s, want %d %s", c.method, w.Code, w.Body, c.status, c.says)
			}
		})
	}
}

// A header is the one that the provider's API expects.
func TestUseIsObeyed(t *testing.T) {
	for name, c := range map[string]struct {
		use           api.Use
		status        int
		field, header string
	}{
		"the default": {api.Use{}, 200, "Authorization", "Bearer token-1"},
		"a header":    {api.Use{Header: "X-Access-Token"}, 200, "X-Access-Token", "token-1"},
		"a prefix":    {api.Use{Header: "Authorization", Prefix: "OAuth "}, 200, "Authorization", "OAuth token-1"},
		"the query":   {api.Use{Query: "access_token"}, 400, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := New(Config{Transport: &clienttest.Server{Use: c.use, Extra: map[string]string{"tenant": "7"}}})
			defer a.Close()
			get := func(path string) *httptest.ResponseRecorder {
				return serve(a.Handler(), http.MethodGet, path, "")
			}
			text := get("/authorization/minut")
			if text.Code != c.status || c.status == 200 && text.Body.String() != c.header {
				t.Errorf("GET /authorization/minut = %d %s, want %d %s", text.Code, text.Body, c.status, c.header)
			}
			empty := get("/forward-auth/minut")
			if empty.Code != c.status || c.field != "" && empty.Header().Get(c.field) != c.header {
				t.Errorf("GET /forward-auth/minut = %d %v, want %d %s: %s",
					empty.Code, empty.Header(), c.status, c.field, c.header)
			}
			var vended api.Token
			err := json.Unmarshal(get("/tokens/minut").Body.Bytes(), &vended)
			if err != nil || vended.Use != c.use || vended.Extra["tenant"] != "7" {
				t.Errorf("GET /tokens/minut = %v, use %+v, extra %v; want those of tokenvend", err, vended.Use, vended.Extra)
			}
		})
	}
}
