package mint

import (
	"context"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Code is what a person brings back from the provider's authorize page, and what proves that it was asked for by whoever brings it.
type Code struct {
	Code        redact.String
	Verifier    redact.String // zero: no code challenge was sent
	RedirectURI string        // the one that the code was asked for with
	Destination string        // the digest of the destination that the person was sent to; "": not known
}

// Authorization is where a person grants access.
type Authorization struct {
	URL         string
	Challenge   string // the code challenge that the provider takes: "S256"; "": none
	Destination string // what [Code.Destination] has to be
}

// Authorization returns where a person grants the access that key stands for. It asks no provider and keeps nothing.
// Errors are of type *api.Error.
func (m *Mint) Authorization(ctx context.Context, key token.Key, redirectURI string) (Authorization, error) {
	v, err := m.connectable(ctx, key)
	if err != nil {
		return Authorization{}, err
	}
	c, own, err := m.client(ctx, v.own) // the secret itself says where a person is sent, not the stored row
	if err != nil {
		return Authorization{}, faultOf(err).told()
	}
	if v = m.viewOf(own, v.entry); own.descriptor == nil || !own.descriptor.Connects() {
		return Authorization{}, &api.Error{Code: api.InvalidRequest, Detail: "this credential's provider connects no accounts"}
	}
	d := own.descriptor
	scope, audience := c.Asks(key.Variant)
	at, err := provider.Endpoint{Descriptor: d, Client: c.Client}.AuthorizeURL(redirectURI, scope, audience)
	if err != nil {
		f := faultOf(err)
		return Authorization{}, &api.Error{Code: f.code, Detail: f.detail}
	}
	authorization := Authorization{URL: at.String(), Destination: c.Destination().Digest()}
	if d.CodeChallenge() == descriptor.PKCES256 {
		authorization.Challenge = string(descriptor.PKCES256)
	}
	return authorization, nil
}

// connectable is the view of a key that a person may connect.
func (m *Mint) connectable(ctx context.Context, key token.Key) (view, error) {
	if _, err := m.Terms(ctx, key.Credential, key); err != nil {
		return view{}, problem(err)
	}
	v := m.recall(key)
	switch {
	case v.own.descriptor == nil:
		return v, &api.Error{Code: api.Misconfigured, Detail: "provider: expected one of the catalogue's"}
	case !v.own.descriptor.Connects():
		return v, &api.Error{Code: api.InvalidRequest, Detail: "this credential's provider connects no accounts"}
	case !v.own.terms.Connected(key.Variant):
		return v, &api.Error{Code: api.InvalidRequest, Detail: `account: expected one; without, the credential gets its tokens by client credentials, unless its secret says "grant":"authorization_code"`}
	}
	return v, nil
}

// Connect exchanges a code under the key's lease, and keeps the grant in the place of the one before. Where the provider refuses the code, the entry stays as it was.
// Errors are of type *api.Error. A ctx that ends stops the waiting for the lease and not an exchange that was sent.
func (m *Mint) Connect(ctx context.Context, key token.Key, code Code) error {
	if _, err := m.connectable(ctx, key); err != nil {
		return err
	}
	lease, v, err := m.seize(ctx, key)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	began := time.Now()
	out := m.redeem(ctx, v, lease, code)
	if out.failed != nil && out.answer.Refresh.IsZero() {
		err := m.release(ctx, lease)
		m.note(ctx, lease, lease.Entry, out, time.Since(began), err)
		return out.failed.told()
	}
	next := *v.entry.with(lease.Entry)
	next.entry.AskedAt = wall()
	if _, err := m.conclude(ctx, lease, v, &next, &out, began); err != nil {
		return problem(err)
	}
	if out.failed != nil {
		return out.failed.told()
	}
	if next.refresh.IsZero() {
		m.Journal.Event(ctx, slog.LevelWarn, "connected", key.Credential, "the provider gave no refresh token, so the grant ends with its access token: "+askForRefresh)
	}
	return nil
}

// redeem asks the provider for the tokens of a code.
func (m *Mint) redeem(ctx context.Context, v view, lease store.Lease, code Code) outcome {
	ctx, cancel := context.WithTimeout(ctx, ExchangeTimeout)
	defer cancel()
	out := m.prepare(ctx, v)
	out.grant = descriptor.AuthorizationCode
	out.refresh.mayBeUsed = v.entry.entry.RefreshSpent || lease.Attempt > 1
	switch {
	case out.failed != nil:
		return out
	case code.Destination != "" && code.Destination != out.own.digests.destination:
		out.failed = &fault{code: api.InvalidRequest, detail: "the credential's destination has changed since the account was sent there: connect it again"}
		return out
	case v.entry.entry.State == store.Revoking:
		out.failed = &fault{code: api.ProviderUnavailable, detail: "the account's last token is being revoked at the provider", until: v.entry.entry.NextAt}
		return out
	}
	ask := provider.TokenRequest{Grant: descriptor.AuthorizationCode, Code: code.Code, Verifier: code.Verifier, RedirectURI: code.RedirectURI}
	if out = m.exchange(ctx, out, v.entry.entry.Key.Variant, ask, store.Failure{}); out.failed == nil {
		m.prove(ctx, &out)
	}
	return out
}

// told is the fault as whoever asked for the attempt is told of it.
func (f *fault) told() *api.Error {
	return refusal(f.code, f.detail, f.until, wall())
}
