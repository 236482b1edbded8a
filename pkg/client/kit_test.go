package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// hourly vends tokens of an hour, to be kept for 48 minutes.
func hourly() *clienttest.Server {
	return &clienttest.Server{Lifetime: time.Hour, Early: 12 * time.Minute}
}

// sourceOf returns the source of minut's tokens at a server, and closes its
// client with the test.
func sourceOf(t *testing.T, s client.Transport, options ...client.Option) *client.Source {
	t.Helper()
	c := client.New(s, options...)
	t.Cleanup(func() { _ = c.Close() })
	return c.Source("minut")
}

func mustToken(t *testing.T, s *client.Source) string {
	t.Helper()
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatalf("Token() = %v, want a token", err)
	}
	return token.Reveal()
}

func wantCode(t *testing.T, call string, err error, code api.Code) {
	t.Helper()
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != code {
		t.Errorf("%s = %v, want %s", call, err, code)
	}
}

func wantRequests(t *testing.T, s *clienttest.Server, want int) {
	t.Helper()
	if got := s.Requests(); len(got) != want {
		t.Errorf("tokenvend was sent %d requests, want %d: %+v", len(got), want, got)
	}
}

// within returns a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
