// Package monitor tells programs how the one-machine server is: whether it
// works (/healthz), and its metrics in the text format of Prometheus.
package monitor

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// HealthPath is the path of the health check. It is no path of the API.
const HealthPath = "/healthz"

// healthTime bounds the read of the store for one health check.
const healthTime = 5 * time.Second

// Health returns a handler that answers [HealthPath] itself, to anybody, and
// leaves all else to next. It answers 200 where works returns nil, else 503. It
// names neither what works nor what does not.
func Health(works func(context.Context) error, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != HealthPath {
			next.ServeHTTP(w, r)
			return
		}
		plain(w)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), healthTime)
		defer cancel()
		if works(ctx) != nil {
			http.Error(w, "unavailable", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ok\n")) // an error means that the client has left
	})
}

// plain sets the headers of a plain text that is not cached.
func plain(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

// minToken is the length of the shortest bearer token, in bytes.
const minToken = 16

// ParseToken reads the bearer token of a file. Its error shows nothing of it.
func ParseToken(text string) (redact.String, error) {
	text = strings.TrimRight(text, "\r\n")
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return redact.String{}, errors.New("expected one line of printable ASCII without spaces")
		}
	}
	if len(text) < minToken {
		return redact.String{}, errors.New("expected a token of 16 characters or more, such as openssl rand -hex 32 " +
			"makes")
	}
	return redact.New(text), nil
}

// bearer returns a handler that lets requests with the bearer token through to
// next (RFC 6750 §2.1).
func bearer(token redact.String, next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token.Reveal()))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, given, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		got := sha256.Sum256([]byte(given))
		if !strings.EqualFold(scheme, "Bearer") || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "unauthorized", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
