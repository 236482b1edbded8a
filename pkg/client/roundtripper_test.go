package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

// resource is an API that takes one token only, and records what it was sent.
func resource(t *testing.T, takes string) (*httptest.Server, *[]string) {
	t.Helper()
	var seen []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Header.Get("Authorization")+" "+string(body))
		if r.Header.Get("Authorization") != "Bearer "+takes {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	t.Cleanup(s.Close)
	return s, &seen
}

func get(t *testing.T, s *client.Source, base http.RoundTripper, url string) *http.Response {
	t.Helper()
	answer, err := (&http.Client{Transport: s.RoundTripper(base)}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer
}

func TestRoundTripperReportsAndRetriesOnce(t *testing.T) {
	for _, c := range []struct {
		name, takes string
		body        io.Reader
		status      int
		seen        string
	}{
		{"the first will do", "token-1", nil, 200, "Bearer token-1 "},
		{"the second will do", "token-2", nil, 200, "Bearer token-1 |Bearer token-2 "},
		{"a body is sent again", "token-2", strings.NewReader("hej"), 200, "Bearer token-1 hej|Bearer token-2 hej"},
		{"a body that is gone", "token-2", io.MultiReader(strings.NewReader("hej")), 401, "Bearer token-1 hej"},
		{"none will do", "another", nil, 401, "Bearer token-1 |Bearer token-2 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, seen := resource(t, c.takes)
			web := &http.Client{Transport: sourceOf(t, hourly()).RoundTripper(nil)}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at.URL, c.body)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := web.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			if got := strings.Join(*seen, "|"); answer.StatusCode != c.status || got != c.seen {
				t.Errorf("PUT = %d and the API was sent %q, want %d and %q", answer.StatusCode, got, c.status, c.seen)
			}
			if r.Header.Get("Authorization") != "" || answer.Request.Header.Get("Authorization") != "" {
				t.Error("the caller's request or that of the response has the token, want it in neither")
			}
		})
	}
}

func TestRoundTripperReturns401WithoutAnotherToken(t *testing.T) {
	fake := hourly()
	s := sourceOf(t, fake)
	mustToken(t, s)
	fake.Fail(&api.Error{Code: api.TooManyReports})
	at, seen := resource(t, "another")
	if answer := get(t, s, nil, at.URL); answer.StatusCode != http.StatusUnauthorized || len(*seen) != 1 {
		t.Errorf("GET = %d after %q, want the 401 of one request", answer.StatusCode, *seen)
	}
}

func TestRoundTripperWithoutAToken(t *testing.T) {
	fake := hourly()
	fake.Fail(&api.Error{Code: api.AccessDenied})
	_, err := (&http.Client{Transport: sourceOf(t, fake).RoundTripper(nil)}).Get("http://127.0.0.1:1/")
	wantCode(t, "Get()", err, api.AccessDenied)
}

// base is a base transport that does not do all that a RoundTripper should.
type base func(*http.Response)

func (b base) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil {
		b(answer)
	}
	return answer, err
}

// outer is a transport around the round tripper that loses the request.
type outer struct{ http.RoundTripper }

func (o outer) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := o.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Request = nil
	}
	return answer, err
}

// A redirect never takes the token to another host, whatever the transports
// around it say of the request that was redirected.
func TestAttack24_RedirectNeverTakesTheTokenElsewhere(t *testing.T) {
	for name, b := range map[string]base{
		"as it should be": func(*http.Response) {},
		"unset":           func(r *http.Response) { r.Request = nil },
		"without a URL":   func(r *http.Response) { r.Request = &http.Request{Header: http.Header{}} },
		"another": func(r *http.Response) {
			r.Request = r.Request.Clone(r.Request.Context())
			r.Request.URL.Host = "127.0.0.2"
		},
	} {
		t.Run(name, func(t *testing.T) {
			var here *httptest.Server
			var there []string
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				there = append(there, r.Header.Get("Authorization"))
				http.Redirect(w, r, here.URL+"/back", http.StatusFound)
			}))
			defer other.Close()
			paths := map[string]string{}
			here = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				paths[r.URL.Path] = r.Header.Get("Authorization")
				switch r.URL.Path {
				case "/":
					http.Redirect(w, r, "/same-host", http.StatusFound)
				case "/same-host":
					http.Redirect(w, r, other.URL, http.StatusFound)
				}
			}))
			defer here.Close()
			get(t, sourceOf(t, hourly()), b, here.URL+"/")
			if len(there) != 1 || there[0] != "" {
				t.Errorf("the other host was sent %q, want one request without a token", there)
			}
			want := map[string]string{"/": "Bearer token-1", "/same-host": "Bearer token-1", "/back": ""}
			for path, token := range want {
				if got, ok := paths[path]; !ok || got != token {
					t.Errorf("%s was sent %q (asked: %t), want %q", path, got, ok, token)
				}
			}
		})
	}
	t.Run("lost by a transport around it", func(t *testing.T) {
		other, there := resource(t, "")
		here := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusFound))
		defer here.Close()
		answer, err := (&http.Client{Transport: outer{sourceOf(t, hourly()).RoundTripper(nil)}}).Get(here.URL)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if len(*there) != 1 || (*there)[0] != " " {
			t.Errorf("the other host was sent %q, want one request without a token", *there)
		}
	})
}

// same is a tokenvend that has one token only, whatever is reported.
const same = answering(`{"access_token":"token-1","token_type":"Bearer","expires_in":60,"fingerprint":"9f86d081884c7d65"}`)

func TestRoundTripperDoesNotRepeatTheSameToken(t *testing.T) {
	at, seen := resource(t, "another")
	if answer := get(t, sourceOf(t, same), nil, at.URL); answer.StatusCode != http.StatusUnauthorized ||
		len(*seen) != 1 {
		t.Errorf("GET = %d after %q, want the 401 of one request", answer.StatusCode, *seen)
	}
}
