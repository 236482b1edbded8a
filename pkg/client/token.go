package client

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
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

	// Use is how the provider's API expects the token; [Token.SetAuthHeader]
	// obeys it. The zero value is "Authorization: Bearer TOKEN".
	Use api.Use `json:"use,omitzero"`

	extra *map[string]string // nil: none. A pointer keeps tokens comparable.
}

// tokenOf returns a vended token, asked for at the time began. Its times count
// from what is left of it, so that a wrong clock here does no harm.
func tokenOf(t api.Token, began time.Time) Token {
	end := began.Add(time.Duration(t.ExpiresIn))
	keep := end.Add(-max(t.ExpiresAt.Sub(t.CacheUntil), 0))
	token := Token{
		access: redact.New(t.AccessToken), Type: t.TokenType, Scope: t.Scope, Fingerprint: t.Fingerprint,
		ExpiresAt: end, CacheUntil: keep, Use: t.Use,
	}
	if len(t.Extra) > 0 {
		token.extra = &t.Extra
	}
	return token
}

// Reveal returns the token itself, the secret.
func (t Token) Reveal() string { return t.access.Reveal() }

// Extra returns a value that the provider gave with the token, such as the URL
// of its API, by the name that the credential's descriptor gives it; "": there
// is none. It may be a secret.
func (t Token) Extra(name string) string {
	if t.extra == nil {
		return ""
	}
	return (*t.extra)[name]
}

// Extras returns a copy of all the values that [Token.Extra] returns.
func (t Token) Extras() map[string]string {
	if t.extra == nil {
		return nil
	}
	return maps.Clone(*t.extra)
}

// Header returns the header field by which a request carries the token:
// Authorization, unless the provider's API expects another. The name is ""
// where the token goes into the query of the URL.
func (t Token) Header() (name, value string) {
	switch u := t.Use; {
	case u.Query != "":
		return "", ""
	case u.Header != "":
		return u.Header, u.Prefix + t.access.Reveal()
	}
	return "Authorization", cmp.Or(t.Type, "Bearer") + " " + t.access.Reveal()
}

// SetAuthHeader has r carry the token as the provider's API expects it: in the
// Authorization header, or in another one, or in the query of r.URL. What is
// there already is replaced.
func (t Token) SetAuthHeader(r *http.Request) {
	name, value := t.Header()
	if name != "" {
		r.Header.Set(name, value)
		return
	}
	query := r.URL.Query()
	if query.Has(t.Use.Query) {
		query.Del(t.Use.Query)
		r.URL.RawQuery = query.Encode()
	}
	parameter := url.Values{t.Use.Query: {t.access.Reveal()}}.Encode()
	r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+parameter, "&")
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
