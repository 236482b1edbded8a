package signed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
	"github.com/tokenvend/tokenvend/pkg/client/signed"
)

var cfg = aws.Config{
	Region: "eu-north-1",
	Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET", SessionToken: "SESSION"}, nil
	}),
}

// recorder is a server that records what it was sent, and has h answer it.
type recorder struct {
	*httptest.Server
	seen   []string
	signed string // the last request's Authorization
}

func serve(t *testing.T, h http.Handler) *recorder {
	t.Helper()
	r := &recorder{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		r.seen = append(r.seen, strings.TrimSpace(q.Method+" "+q.URL.RequestURI()+" "+string(body)))
		r.signed = q.Header.Get("Authorization")
		q.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, q)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestRequestsAreSigned(t *testing.T) {
	s := serve(t, &clienttest.Server{})
	if _, err := client.New(signed.New(s.URL, cfg)).Source("minut").Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"AWS4-HMAC-SHA256 Credential=AKID/", "/eu-north-1/execute-api/aws4_request",
		"x-amz-security-token"} {
		if !strings.Contains(s.signed, part) {
			t.Errorf("Authorization = %q, want %q in it", s.signed, part)
		}
	}
}

func TestEnvironmentSigns(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "FROMENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_REGION", "eu-west-3")
	s := serve(t, &clienttest.Server{})
	if _, err := client.New(signed.New(s.URL+"/", aws.Config{})).Source("minut").Token(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.signed, "Credential=FROMENV/") || !strings.Contains(s.signed, "/eu-west-3/") {
		t.Errorf("Authorization = %q, want key and region of the environment", s.signed)
	}
}

func TestConfigurationIsTheErrorOfEveryRequest(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"} {
		t.Setenv(name, "")
	}
	for want, c := range map[string]struct {
		url string
		cfg aws.Config
	}{
		"the API's URL is not set":       {"", cfg},
		"expected https (http for":       {"http://example.com", cfg},
		"expected https://HOST":          {"https://user:secret@example.com", cfg},
		"the region is not set":          {"https://example.com", aws.Config{Credentials: cfg.Credentials}},
		"AWS_ACCESS_KEY_ID and AWS_SECR": {"https://a1.execute-api.eu-north-1.amazonaws.com/prod", aws.Config{}},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := client.NewAdmin(signed.New(c.url, c.cfg)).List(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret@") {
				t.Errorf("List() = %v, want %q in it", err, want)
			}
		})
	}
}

// Every call, as it stands on the wire.
func TestRequestsOnTheWire(t *testing.T) {
	options := []client.Option{client.Account("alice smith"), client.Scope("b a"), client.MinTTL(time.Hour)}
	grant := client.Grant{Code: "c0de", CodeVerifier: "v", RedirectURI: "http://127.0.0.1:1/connected"}
	for want, call := range map[string]func(context.Context, client.Transport) error{
		"GET /tokens/x?account=alice%20smith&min_ttl=3600&scope=a%20b": func(
			ctx context.Context, at client.Transport,
		) error {
			_, err := client.New(at).Source("x", options...).Token(ctx)
			return err
		},
		`POST /tokens/x {"scope":"a b","account":"alice smith","min_ttl":3600,"rejected":"9f86d081884c7d65"}`: func(ctx context.Context, at client.Transport) error {
			_, err := client.New(at).Source("x", options...).Reject(ctx, "9f86d081884c7d65")
			return err
		},
		"GET /tokens/x/status?account=alice%20smith&scope=a%20b": func(ctx context.Context, at client.Transport) error {
			_, err := client.NewAdmin(at).Status(ctx, "x", options...)
			return err
		},
		"GET /tokens/x/status?account=alice%20smith&scope=a%20b&verify=true": func(
			ctx context.Context, at client.Transport,
		) error {
			_, err := client.NewAdmin(at).Verify(ctx, "x", options...)
			return err
		},
		"DELETE /tokens/x?account=alice%20smith&scope=a%20b": func(ctx context.Context, at client.Transport) error {
			_, err := client.NewAdmin(at).Revoke(ctx, "x", options...)
			return err
		},
		"GET /tokens/x/authorize?account=alice%20smith&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fconnected%3Fa%3Db&scope=a%20b": func(ctx context.Context, at client.Transport) error {
			_, err := client.NewAdmin(at).Authorize(ctx, "x", "http://127.0.0.1:1/connected?a=b", options...)
			return err
		},
		`PUT /tokens/x {"scope":"a b","account":"alice smith","redirect_uri":"http://127.0.0.1:1/connected","code":"c0de","code_verifier":"v"}`: func(ctx context.Context, at client.Transport) error {
			_, err := client.NewAdmin(at).Connect(ctx, "x", grant, options...)
			return err
		},
		`PUT /tokens/x {"recovery":"blob"}`: func(ctx context.Context, at client.Transport) error {
			_, err := client.NewAdmin(at).Recover(ctx, "x", "blob")
			return err
		},
		"GET /tokens": func(ctx context.Context, at client.Transport) error {
			_, err := client.NewAdmin(at, client.Scope("not for a list")).List(ctx)
			return err
		},
	} {
		t.Run(want, func(t *testing.T) {
			s := serve(t, &clienttest.Server{})
			if err := call(t.Context(), signed.New(s.URL, cfg)); err != nil || !slices.Equal(s.seen, []string{want}) {
				t.Errorf("sent %q (%v), want %q", s.seen, err, want)
			}
		})
	}
}

func TestListFollowsPages(t *testing.T) {
	s := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, map[string]string{
			"":  `{"credentials":[{"credential":"a"},{"credential":"b"}],"next":"b"}`,
			"b": `{"credentials":null,"next":"c"}`,
			"c": `{"credentials":[{"credential":"d"}]}`,
		}[r.URL.Query().Get("after")])
	}))
	all, err := client.NewAdmin(signed.New(s.URL, cfg)).List(t.Context())
	if err != nil || fmt.Sprint(all) != "[{a } {b } {d }]" {
		t.Errorf("List() = %v, %v; want a, b and d", all, err)
	}
}

func TestProblemsAreErrors(t *testing.T) {
	want := api.Error{
		Code:       api.ProviderRejected,
		Detail:     "invalid_client",
		Credential: "minut",
		RequestID:  "r-1",
		RetryAfter: time.Minute,
	}
	fake := &clienttest.Server{}
	fake.Fail(&want)
	_, err := client.New(signed.New(serve(t, fake).URL, cfg)).Source("minut").Token(t.Context())
	if e, ok := errors.AsType[*api.Error](err); !ok || *e != want {
		t.Errorf("Token() = %#v, want %#v", err, want)
	}
}

func TestAnswersThatAreNotTokenvends(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"the signature or the IAM policy was refused (HTTP status 403, \"InvalidSignatureException\")": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Amzn-ErrorType", "InvalidSignatureException")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"The Canonical String was x-amz-security-token:SESSION"}`)
		},
		"nothing is at that URL": http.NotFound,
		"an answer that is not tokenvend's": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("<html>SESSION"))
		},
		"the gateway got no answer": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
		},
		"not tokenvend's (HTTP status 307)": http.RedirectHandler("http://127.0.0.1:1/",
			http.StatusTemporaryRedirect).ServeHTTP,
		"an answer without a token": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("{}"))
		},
		"not tokenvend's: is the URL right": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte(" "), 2<<20))
		},
		"broke off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		},
		"no answer from 127.0.0.1": func(http.ResponseWriter, *http.Request) {
			panic(http.ErrAbortHandler)
		},
		"the gateway throttles (HTTP status 4": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusTooManyRequests)
		},
	} {
		t.Run(want, func(t *testing.T) {
			_, err := client.New(signed.New(serve(t, answer).URL, cfg)).Source("minut").Token(t.Context())
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "SESSION") {
				t.Errorf("Token() = %v, want %q in it", err, want)
			}
		})
	}
}

func TestPlainHTTPBeyondLoopbackIsAskedFor(t *testing.T) {
	s := serve(t, &clienttest.Server{})
	there := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.Listener.Addr().String())
	}}
	t.Cleanup(there.CloseIdleConnections)
	at := signed.New(
		"http://tokenvend:3000",
		cfg,
		signed.PlainHTTP(),
		signed.HTTPClient(&http.Client{Transport: there}),
		signed.Option{},
	)
	if _, err := client.New(at).Source("minut").Token(t.Context()); err != nil {
		t.Errorf("Token() = %v, want a token over plain http that was asked for", err)
	}
}
