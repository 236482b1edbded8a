package api

import (
	"fmt"
	"log/slog"
	"maps"
)

// mask is what a secret looks like where a value is printed.
const mask = "[redacted]"

// Format writes the token without the secret, whatever the verb. Only JSON has
// it: that is how a token is handed over.
func (t Token) Format(f fmt.State, verb rune) {
	type plain Token
	t.AccessToken = masked(t.AccessToken)
	t.Extra = maps.Clone(t.Extra)
	for name, value := range t.Extra {
		t.Extra[name] = masked(value)
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(t))
}

// LogValue returns the token's fingerprint and end.
func (t Token) LogValue() slog.Value {
	return slog.GroupValue(slog.String("fingerprint", t.Fingerprint), slog.Time("expires_at", t.ExpiresAt))
}

// Format writes the request without the secrets that it may carry, whatever the
// verb.
func (r Request) Format(f fmt.State, verb rune) {
	type plain Request
	r = r.withoutSecrets()
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), plain(r))
}

// LogValue returns the request without the secrets that it may carry.
func (r Request) LogValue() slog.Value {
	type plain Request
	return slog.AnyValue(plain(r.withoutSecrets()))
}

func (r Request) withoutSecrets() Request {
	r.Code, r.CodeVerifier, r.Recovery = masked(r.Code), masked(r.CodeVerifier), masked(r.Recovery)
	r.AuthorizationResponse = masked(r.AuthorizationResponse)
	return r
}

// masked returns the mask in the place of a secret; nothing in that of none.
func masked(secret string) string {
	if secret == "" {
		return ""
	}
	return mask
}
