package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

func TestRequestsAreSigned(t *testing.T) {
	d := hour()
	mustToken(t, clientOf(serve(t, d)))
	if !strings.HasPrefix(d.signed, "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(d.signed, "/eu-north-1/execute-api/aws4_request") || !strings.Contains(d.signed, "x-amz-security-token") {
		t.Errorf("Authorization: %s", d.signed)
	}
}

func TestEnvironmentSigns(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "FROMENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_REGION", "eu-west-3")
	d := hour()
	mustToken(t, client.New(client.Config{URL: serve(t, d).URL + "/"}))
	if !strings.Contains(d.signed, "Credential=FROMENV/") || !strings.Contains(d.signed, "/eu-west-3/") {
		t.Errorf("Authorization: %s", d.signed)
	}
}

func TestConfigurationIsTheErrorOfEveryCall(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		t.Setenv(name, "")
	}
	for want, c := range map[string]client.Config{
		"Config.URL is not set":         {},
		"expected https (http for":      {URL: "http://example.com"},
		"expected https://HOST":         {URL: "https://user:secret@example.com"},
		"Config.Region is not set":      {URL: "https://example.com", Credentials: keys},
		"AWS_ACCESS_KEY_ID and AWS_SEC": {URL: "https://a1.execute-api.eu-north-1.amazonaws.com/prod"},
	} {
		if _, err := client.New(c).List(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@") {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

func TestProblemsAreErrors(t *testing.T) {
	d := hour()
	d.refuse(&api.Error{Code: api.ProviderRejected, Detail: "invalid_client", Credential: "minut", RequestID: "r-1", RetryAfter: time.Minute})
	_, err := clientOf(serve(t, d)).Token(t.Context(), "minut")
	e, ok := errors.AsType[*api.Error](err)
	if !ok || *e != (api.Error{Code: api.ProviderRejected, Detail: "invalid_client", Credential: "minut", RequestID: "r-1", RetryAfter: time.Minute}) {
		t.Errorf("%#v", err)
	}
}

func TestWhatIsNotTokenvendSays(t *testing.T) {
	answers := map[string]http.HandlerFunc{
		"the signature or the IAM policy was refused (HTTP status 403, \"InvalidSignatureException\")": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-ErrorType", "InvalidSignatureException")
			write(w, http.StatusForbidden, map[string]string{"message": "The Canonical String was x-amz-security-token:SESSION"})
		},
		"nothing is at that URL":            http.NotFound,
		"an answer that is not tokenvend's": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>SESSION")) },
		"the gateway got no answer":         func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"not tokenvend's (HTTP status 307)": http.RedirectHandler("http://127.0.0.1:1/", http.StatusTemporaryRedirect).ServeHTTP,
		"an answer without a token":         func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) },
		"not tokenvend's: is the URL right": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), 2<<20)) },
		"broke off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		},
		"no answer from 127.0.0.1":             func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"the gateway throttles (HTTP status 4": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
	}
	for want, answer := range answers {
		_, err := clientOf(serve(t, answer)).Token(t.Context(), "minut")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SESSION") {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

func TestListFollowsPages(t *testing.T) {
	pages := map[string]api.Page{
		"":  {Credentials: []api.Listed{{Credential: "a"}, {Credential: "b"}}, Next: "b"},
		"b": {Credentials: nil, Next: "c"},
		"c": {Credentials: []api.Listed{{Credential: "d"}}},
	}
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write(w, http.StatusOK, pages[r.URL.Query().Get("after")])
	}))
	all, err := clientOf(s).List(t.Context())
	if err != nil || len(all) != 3 || all[2].Credential != "d" {
		t.Errorf("%v %v", all, err)
	}
}

func TestStatus(t *testing.T) {
	var asked string
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RequestURI()
		write(w, http.StatusOK, api.StatusReport{Credential: "minut", State: api.Fresh})
	}))
	report, err := clientOf(s).Status(t.Context(), "minut", client.Scope("read"), client.MinTTL(time.Minute))
	if err != nil || report.State != api.Fresh || asked != "/tokens/minut/status?scope=read" {
		t.Errorf("%v %v %s", report, err, asked)
	}
}

// resource is an API that takes one token only, and says what it was sent.
func resource(t *testing.T, takes string) (*httptest.Server, *[]string) {
	var seen []string
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		seen = append(seen, r.Header.Get("Authorization")+" "+string(body))
		if r.Header.Get("Authorization") != "Bearer "+takes {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})), &seen
}

func TestTransportReportsAndRetriesOnce(t *testing.T) {
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
		d := hour()
		at, seen := resource(t, c.takes)
		web := &http.Client{Transport: clientOf(serve(t, d)).Transport("minut", nil)}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, at.URL, c.body)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := web.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if got := strings.Join(*seen, "|"); answer.StatusCode != c.status || got != c.seen || r.Header.Get("Authorization") != "" {
			t.Errorf("%s: %d, %q", c.name, answer.StatusCode, got)
		}
	}
}

func TestTransportGives401WhereNoOtherTokenIsToBeHad(t *testing.T) {
	d := hour()
	c := clientOf(serve(t, d))
	mustToken(t, c)
	d.refuse(&api.Error{Code: api.TooManyReports})
	at, seen := resource(t, "another")
	answer, err := (&http.Client{Transport: c.Transport("minut", nil)}).Get(at.URL)
	if err != nil || answer.StatusCode != http.StatusUnauthorized || len(*seen) != 1 {
		t.Fatalf("%v %v %q", answer, err, *seen)
	}
	_ = answer.Body.Close()
}

func TestTransportKeepsTheTokenFromOtherHosts(t *testing.T) {
	d := hour()
	other, seen := resource(t, "")
	at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/here" && r.Header.Get("Authorization") != "" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		http.Redirect(w, r, "/here", http.StatusFound)
	}))
	answer, err := (&http.Client{Transport: clientOf(serve(t, d)).Transport("minut", nil)}).Get(at.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if len(*seen) != 1 || (*seen)[0] != " " {
		t.Errorf("the other host was sent %q", *seen)
	}
}

func TestTransportWithoutAToken(t *testing.T) {
	d := hour()
	d.refuse(&api.Error{Code: api.AccessDenied})
	_, err := (&http.Client{Transport: clientOf(serve(t, d)).Transport("minut", nil)}).Get("http://127.0.0.1:1/")
	wantCode(t, err, api.AccessDenied)
}

func TestPlainHTTPBeyondLoopbackIsAskedFor(t *testing.T) {
	s := serve(t, hour())
	there := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}}
	t.Cleanup(there.CloseIdleConnections)
	mustToken(t, client.New(client.Config{URL: "http://tokenvend:3000", PlainHTTP: true, Region: "eu-north-1", Credentials: keys, HTTP: &http.Client{Transport: there}}))
}
