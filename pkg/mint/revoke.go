package mint

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Revoke revokes the token and the refresh token of an entry at the provider, where that can be done, and forgets them; the next one who asks mints anew, by the secret as it is then.
// revoked: the provider has confirmed it. false: the provider revokes nothing, or refuses to; or it can't be reached now, and then the entry is revoking: not vended, and tried again by rotate. Other instances may vend the old token out of their memory until memoryUntil.
func (m *Mint) Revoke(ctx context.Context, key token.Key) (revoked bool, memoryUntil time.Time, err error) {
	lease, v, err := m.seize(ctx, key)
	if err == nil {
		revoked, err = m.revoke(ctx, lease, v)
	}
	if cutOff(err) {
		m.memory.forget(key) // the revocation is not stored, but it is known here
	}
	if err != nil {
		return false, time.Time{}, err
	}
	return revoked, wall().Add(trust), nil
}

// revoke revokes under a lease, so that no token is being minted meanwhile. The entry stays, emptied: generations must go on growing.
func (m *Mint) revoke(ctx context.Context, lease store.Lease, v view) (revoked bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), Timeout)
	defer cancel()
	revoked, failed := m.revokeThere(ctx, v)
	next := row{entry: emptied(lease.Entry)}
	if failed != nil && failed.code == api.ProviderUnavailable {
		next = *v.entry.with(lease.Entry)
		next.stamp(v.own.row)
		next.entry.State = store.Revoking
		next.entry.Failure = failed.after(lease.Entry.Failure, lease.Entry.Key, lease.Entry.Generation, v.own.terms.Version, wall())
		next.entry.NextAt = next.entry.Failure.RetryAt
		next.entry.ForgetAt = forgetAt(next.entry, wall())
	}
	// What is left is sealed under a generation of its own, so that neither the
	// token nor a recovery blob of before is taken any more.
	next.entry.Generation = m.nextGeneration(lease.Entry)
	if err := m.closeToken(ctx, &next, next.token.Access); err != nil && next.entry.State == store.Revoking {
		_ = m.release(ctx, lease)
		return false, faultOf(err).told()
	}
	if err := m.commit(ctx, lease, next.entry); err != nil {
		return false, storeUnavailable(err)
	}
	next.entry.Revision, next.entry.LeasedUntil = lease.Entry.Revision+1, time.Time{}
	m.memory.put(&next, Store, wall())
	m.relearn(ctx, lease.Entry.Key.Credential)
	return revoked, nil
}

func emptied(e store.Entry) store.Entry {
	return store.Entry{Key: e.Key, Generation: e.Generation, AskedAt: e.AskedAt, ForgetAt: forgetAt(e, wall())}
}

// revokeThere asks the provider to revoke what the entry holds: the refresh token first, for it could make more. What was obtained at another destination is not shown to the one in force.
func (m *Mint) revokeThere(ctx context.Context, v view) (revoked bool, failed *fault) {
	if v.own.descriptor == nil || !v.own.descriptor.Revokes() || !v.accepted {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ExchangeTimeout)
	defer cancel()
	c, own, err := m.client(ctx, v.own)
	if err != nil {
		return false, faultOf(err)
	}
	d := own.descriptor
	if d == nil || !d.Revokes() || !m.viewOf(own, v.entry).accepted {
		return false, nil
	}
	endpoint := provider.Endpoint{HTTP: m.HTTP, Clocks: &m.clocks, Descriptor: d, Client: c.Client}
	for _, what := range []redact.String{v.entry.refresh, v.entry.token.Access} {
		if what.IsZero() {
			continue
		}
		if err := endpoint.RevokeToken(ctx, what); err != nil {
			return false, faultOf(err)
		}
		revoked = true
	}
	return revoked, nil
}

// revokeAgain is what rotate does about an entry that is revoking.
func (m *Mint) revokeAgain(ctx context.Context, key token.Key) (Renewal, error) {
	if _, _, err := m.Revoke(ctx, key); err != nil {
		return Failed, err
	}
	if v := m.recall(key); v.entry != nil && v.entry.entry.State == store.Revoking {
		return Failed, refusal(api.ProviderUnavailable, v.entry.entry.Failure.Detail, v.entry.entry.Failure.RetryAt, wall())
	}
	return Retired, nil
}

// relearn looks for a new version of the secret, for an operator who revokes a token has often just changed something. What can't be read now, rotate finds out.
func (m *Mint) relearn(ctx context.Context, name string) {
	if rows, err := m.load(ctx, store.Strong, token.RecordKey(name)); err == nil {
		_, _ = m.learn(ctx, rows[0].entry)
	}
}
