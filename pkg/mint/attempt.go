package mint

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// outcome is what one attempt brought.
type outcome struct {
	own    *known         // the credential's row as it stands by now
	grant  provider.Grant // the last that was tried
	answer provider.Answer
	failed *fault // nil: the answer holds a token
	spent  bool   // a refresh token was sent and may be used up
}

// attempt brings a new token into being under a lease, or commits why it could not: either way all who wait learn of it.
func (m *Mint) attempt(ctx context.Context, lease store.Lease, v view, w Want) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	began := time.Now()
	out := m.ask(ctx, v, lease)
	next := row{entry: lease.Entry, token: v.entry.token, refresh: v.entry.refresh}
	if !w.Ahead {
		next.entry.AskedAt = wall()
	}
	if out.failed == nil {
		m.succeed(ctx, &next, &out)
	}
	if out.failed != nil {
		m.fail(ctx, &next, &out)
	}
	err := m.commit(ctx, lease, next.entry)
	m.note(ctx, lease, next.entry, out, time.Since(began), err)
	switch {
	case errors.Is(err, store.ErrLeaseLost):
		return m.reload(ctx, v)
	case err != nil:
		return v, storeUnavailable(err)
	}
	next.entry.Revision, next.entry.LeasedUntil = lease.Entry.Revision+1, time.Time{}
	return m.viewOf(out.own, m.memory.put(&next, Provider, wall())), nil
}

// ask reads the secret and asks the provider, grant after grant, within the time that all requests of one mint may take.
func (m *Mint) ask(ctx context.Context, v view, lease store.Lease) outcome {
	ctx, cancel := context.WithTimeout(ctx, ExchangeTimeout)
	defer cancel()
	out := outcome{own: v.own, spent: vanished(v, lease)}
	c, own, err := m.client(ctx, v.own)
	if err == nil {
		// What cannot be sealed must not be asked for: a single-use refresh token would be lost.
		_, err = m.Sealer.Seal(ctx, c.Name, nil, nil)
	}
	if out.own = own; err != nil {
		out.failed = faultOf(err)
		return out
	}
	if own.descriptor == nil {
		out.failed = &fault{code: api.Misconfigured, detail: "provider: expected one of the catalogue's", permanent: true, client: true}
		return out
	}
	tries := grants(m.viewOf(own, v.entry), c, lease)
	if len(tries) == 0 {
		out.failed = &fault{code: api.NeedsReauthorizing, detail: "there is no refresh token that works any more", permanent: true}
	}
	for _, ask := range tries {
		out = m.exchange(ctx, out, ask, v.failure().IsZero())
		if out.failed == nil || out.failed.client || out.failed.code != api.ProviderRejected {
			break
		}
	}
	return out
}

// grants are the requests to try in turn. A refresh token goes first while it lives, unless what an earlier holder of the lease sent may have used it up; client credentials follow where the credential is not a person's.
func grants(v view, c credential.Credential, lease store.Lease) []provider.Ask {
	var asks []provider.Ask
	terms, e := v.own.terms, v.entry.entry
	scope, audience := terms.Asks(e.Key.Variant)
	if refresh := refreshToken(v, c, lease); !refresh.IsZero() {
		asks = append(asks, provider.Ask{Grant: provider.RefreshToken, Scope: scope, Audience: audience, Refresh: refresh})
	}
	if e.Key.Variant.Account == "" && (terms.Grant == "" || terms.Grant == provider.ClientCredentials) {
		asks = append(asks, provider.Ask{Grant: provider.ClientCredentials, Scope: scope, Audience: audience})
	}
	return asks
}

// refreshToken is the refresh token to redeem; zero: none that may be sent.
func refreshToken(v view, c credential.Credential, lease store.Lease) redact.String {
	d, e := v.own.descriptor, v.entry.entry
	switch {
	case !d.Refreshes(), e.RefreshSpent, !e.RefreshUntil.IsZero() && !wall().Before(e.RefreshUntil):
		return redact.String{}
	case vanished(v, lease):
		return redact.String{}
	case e.Made == v.made && !v.entry.refresh.IsZero():
		return v.entry.refresh
	case e.Key.Variant.Account == "" && e.Generation == 0:
		return c.Refresh
	}
	return redact.String{}
}

// vanished says whether an earlier holder of the lease may have used the refresh token up, and died before it could say so.
func vanished(v view, lease store.Lease) bool {
	d := v.own.descriptor
	return lease.Attempt > 1 && d != nil && d.SingleUse() && d.Reuse() != provider.ReuseTolerated
}

// exchange makes one request, lending the secret's other versions where the provider does not know the client.
func (m *Mint) exchange(ctx context.Context, out outcome, ask provider.Ask, firstTime bool) outcome {
	c, _ := m.secrets.get(out.own.terms.Name)
	var err error
	for l := range m.lenders(ctx, c, firstTime) {
		out.answer, err = out.own.descriptor.Exchange(ctx, m.HTTP, l.client, ask)
		if l.fresh != nil {
			out.own, _ = m.adopt(ctx, out.own, *l.fresh)
		}
		if !unknownClient(err) {
			break
		}
	}
	out.grant, out.failed = ask.Grant, nil
	if err != nil {
		out.failed = faultOf(err)
		out.spent = out.spent || ask.Grant == provider.RefreshToken && mayBeSpent(err, out.own.descriptor)
	}
	return out
}

// mayBeSpent says whether the provider may have used up a refresh token that was sent in vain.
func mayBeSpent(err error, d *provider.Descriptor) bool {
	var e *provider.Error
	if !errors.As(err, &e) || !e.Sent || e.Client {
		return false
	}
	if e.Kind == provider.Rejected {
		return e.Code == "invalid_grant"
	}
	return d.Reuse() != provider.ReuseTolerated
}
