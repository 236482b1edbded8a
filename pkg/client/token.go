package client

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Token is an access token. However it is printed, logged or encoded, it shows
// its fingerprint and its times and never itself: [Token.Reveal] returns it.
type Token struct {
	access redact.String

	Type        string    `json:"token_type"`  // "Bearer"
	ExpiresAt   time.Time `json:"expires_at"`  // by this machine's clock
	CacheUntil  time.Time `json:"cache_until"` // by this machine's clock
	Scope       string    `json:"scope,omitempty"`
	Fingerprint string    `json:"fingerprint"` // names the token in logs and reports
}

// tokenOf returns a vended token, asked for at the time began. Its times count
// from what is left of it, so that a wrong clock here does no harm.
func tokenOf(t api.Token, began time.Time) Token {
	end := began.Add(time.Duration(t.ExpiresIn))
	keep := end.Add(-max(t.ExpiresAt.Sub(t.CacheUntil), 0))
	return Token{
		access: redact.New(t.AccessToken), Type: t.TokenType, Scope: t.Scope, Fingerprint: t.Fingerprint,
		ExpiresAt: end, CacheUntil: keep,
	}
}

// Reveal returns the token itself, the secret.
func (t Token) Reveal() string { return t.access.Reveal() }

// SetAuthHeader sets the Authorization header of r to the token.
func (t Token) SetAuthHeader(r *http.Request) {
	r.Header.Set("Authorization", t.Type+" "+t.access.Reveal())
}

// String returns the token's fingerprint and end; "no token" for the zero
// value.
func (t Token) String() string {
	if t.access.IsZero() {
		return "no token"
	}
	return fmt.Sprintf("token %s, until %s", t.Fingerprint, t.ExpiresAt.UTC().Format(time.RFC3339))
}

// GoString returns what String does.
func (t Token) GoString() string { return t.String() }

// Format writes what String returns, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, t.String()) }

// LogValue returns the token's fingerprint and end.
func (t Token) LogValue() slog.Value {
	return slog.GroupValue(slog.String("fingerprint", t.Fingerprint), slog.Time("expires_at", t.ExpiresAt))
}
