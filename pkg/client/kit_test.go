package client_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

var keys = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKID", SecretAccessKey: "SECRET", SessionToken: "SESSION"}, nil
})

// desk is a server that answers as tokenvend does, and remembers what it was asked.
type desk struct {
	life, renewal time.Duration // of a token; and how long before its end cache_until is
	skew          time.Duration // how far its clock is ahead

	mu      sync.Mutex
	minted  int
	refuses error         // an *api.Error; nil: it vends
	slow    time.Duration // how long an answer takes
	seen    []string
	signed  string // the last request's Authorization
}

func (d *desk) refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuses = err
}

func (d *desk) calls() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string{}, d.seen...)
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	time.Sleep(d.slow)
	d.mu.Lock()
	defer d.mu.Unlock()
	said := r.Method + " " + r.URL.RequestURI()
	if len(body) > 0 {
		said += " " + string(body)
	}
	d.seen, d.signed = append(d.seen, said), r.Header.Get("Authorization")
	if d.refuses != nil {
		d.problem(w)
		return
	}
	d.minted++
	now := time.Now().Add(d.skew).UTC()
	write(w, http.StatusOK, api.Token{
		AccessToken: fmt.Sprintf("token-%d", d.minted), TokenType: "Bearer", ExpiresIn: api.Seconds(d.life), ExpiresAt: now.Add(d.life),
		CacheUntil: now.Add(d.life - d.renewal), Fingerprint: fmt.Sprintf("fingerprint-%d", d.minted),
	})
}

func (d *desk) problem(w http.ResponseWriter) {
	if e, ok := d.refuses.(*api.Error); ok {
		w.Header().Set("Content-Type", api.ProblemType)
		write(w, e.Code.Status(), e)
		return
	}
	w.Header().Set("Apigw-Requestid", "gateway-1")
	write(w, http.StatusForbidden, map[string]string{"message": "Forbidden"})
}

func write(w http.ResponseWriter, status int, body any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// serve runs a handler over TCP.
func serve(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func clientOf(s *httptest.Server) *client.Client {
	return client.New(client.Config{URL: s.URL, Region: "eu-north-1", Credentials: keys})
}

// pipes is a listener in memory, so that a real server can run in simulated time.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p <- there
	return here, nil
}

// inMemory runs a handler over pipes, for use in a synctest bubble.
func inMemory(t *testing.T, h http.Handler) *client.Client {
	t.Helper()
	p := make(pipes)
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(p) }()
	transport := &http.Transport{DialContext: p.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		close(p)
		_ = server.Close()
	})
	return client.New(client.Config{URL: "http://127.0.0.1", Region: "eu-north-1", Credentials: keys, HTTP: &http.Client{Transport: transport}})
}

func mustToken(t *testing.T, c *client.Client, options ...client.Option) string {
	t.Helper()
	token, err := c.Token(t.Context(), "minut", options...)
	if err != nil {
		t.Fatal(err)
	}
	return token.AccessToken
}
