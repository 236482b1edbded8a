package testworld

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// CallerTimeout is how long a caller waits for a token: the timeout of API
// Gateway.
const CallerTimeout = 29 * time.Second

// PassTimeout is how long a pass of rotate may take: until the next one.
const PassTimeout = time.Minute

// What a program that connects accounts sends to the provider.
const (
	RedirectURI  = "http://127.0.0.1:8976/connected"
	CodeVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
)

// Key returns the default key of a credential.
func Key(credential string) token.Key { return token.Key{Credential: credential} }

// Account returns the key of a user account.
func Account(credential, account string) token.Key {
	return token.Key{Credential: credential, Variant: token.NewVariant(account, "", "")}
}

// Count returns how many cases a test tries: n, or fewer with the flag -short.
// So many suffice for the race detector, under which a case takes ten times as
// long.
func Count(n, short int) int {
	if testing.Short() {
		return min(n, short)
	}
	return n
}

// Must fails the test if err is not nil.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ErrorCode returns the code of an [api.Error], or "".
func ErrorCode(err error) api.Code {
	if known, ok := errors.AsType[*api.Error](err); ok {
		return known.Code
	}
	return ""
}

// HasCode reports whether err is an [api.Error] with this code.
func HasCode(err error, code api.Code) bool { return err != nil && ErrorCode(err) == code }

// Put writes a credential of a simulated provider, with more fields. A field
// that is nil is left out.
func (w *World) Put(credential, provider string, more map[string]any) {
	w.T.Helper()
	id, secret := w.Providers.ClientFor(provider)
	content := map[string]any{"provider": provider, "client_id": id, "client_secret": secret}
	if provider == "miden" { // each of its tenants has its own URL
		content["token_url"] = w.Providers.TokenURL(provider)
	}
	for field, value := range more {
		if content[field] = value; value == nil {
			delete(content, field)
		}
	}
	w.PutSecret(credential, content)
}

// PutSecret writes a secret with this content, as JSON.
func (w *World) PutSecret(credential string, content any) {
	w.T.Helper()
	data, err := json.Marshal(content)
	Must(w.T, err)
	Must(w.T, w.Secrets.Write(credential, data))
}

// Token returns the token of a key. The test fails without one.
func (w *World) Token(p *Process, k token.Key) mint.Result {
	w.T.Helper()
	return w.TokenThat(p, k, mint.Want{})
}

// TokenThat is [World.Token] with requirements.
func (w *World) TokenThat(p *Process, k token.Key, want mint.Want) mint.Result {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), CallerTimeout)
	defer cancel()
	r, err := p.Token(ctx, k, want)
	if err != nil {
		w.T.Fatalf("Token(%s, %+v) = %v, want a token", k, want, err)
	}
	return r
}

// Refused requests a token. The test fails unless the request is refused with
// this code.
func (w *World) Refused(p *Process, k token.Key, want mint.Want, code api.Code) {
	w.T.Helper()
	r, err := p.Token(w.T.Context(), k, want)
	if !HasCode(err, code) {
		w.T.Fatalf("Token(%s, %+v) = %s, %v, want %s", k, want, r.Token.Fingerprint, err, code)
	}
}

// Connect has a user grant access at the provider of the same name as the
// credential, and connects the account.
func (w *World) Connect(p *Process, k token.Key) {
	w.T.Helper()
	if err := p.Connect(w.T.Context(), k, w.Code(k.Credential, k.Variant.Account)); err != nil {
		w.T.Fatalf("Connect(%s) = %v, want no error", k, err)
	}
}

// Pass runs one discovery of rotate and one pass after it. The report is of
// both.
func (w *World) Pass(r *rotate.Rotator) rotate.Report {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), PassTimeout)
	defer cancel()
	found, err := r.Discover(ctx)
	if err != nil {
		w.T.Fatalf("Discover() = %+v, %v, want no error", found, err)
	}
	report, err := r.Run(ctx)
	if err != nil {
		w.T.Fatalf("Run() = %+v, %v, want no error", report, err)
	}
	report.Learnt, report.Gone = found.Learnt, found.Gone
	return report
}

// Code has a user grant access at a provider. It returns the authorization
// response.
func (w *World) Code(provider, account string) attempt.Code {
	w.T.Helper()
	id, _ := w.Providers.ClientFor(provider)
	sum := sha256.Sum256([]byte(CodeVerifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	code, err := w.Providers.IssueCode(provider, id, account, "", RedirectURI, challenge)
	if err != nil {
		w.T.Fatalf("IssueCode(%s, %s) = %v, want a code", provider, account, err)
	}
	return attempt.Code{Code: redact.New(code), Verifier: redact.New(CodeVerifier), RedirectURI: RedirectURI}
}

// Entry returns what the store holds for a key.
func (w *World) Entry(k token.Key) store.Entry {
	w.T.Helper()
	entries, err := w.Store.Get(w.T.Context(), store.Strong, k)
	if err != nil {
		w.T.Fatalf("Get(%s) = %v, want an entry", k, err)
	}
	return entries[0]
}

// TokenRequests returns how many token requests a provider received, refreshes
// included.
func (w *World) TokenRequests(provider string) int {
	c := w.Providers.Stats().Providers[provider]
	return c.TokenRequests + c.RefreshRequests
}

// Alarms returns how often the log counts a metric.
func (w *World) Alarms(metric string) int { return strings.Count(w.Log.String(), " "+metric+"=1") }
