package operate

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/leases"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Revoke revokes the token and the refresh token of an entry at the provider,
// if that can be done, and forgets them. The next request mints anew, by the
// secret as it is then.
//
// revoked: the provider has confirmed it. false: the provider revokes nothing,
// or refuses to; or it cannot be reached now, and then the entry is revoking:
// not vended, and tried again by rotate. Other instances may vend the old token
// from their memory until memoryUntil.
func (o Operator) Revoke(ctx context.Context, key token.Key) (revoked bool, memoryUntil time.Time, err error) {
	lease, s, err := leases.Acquire(ctx, o.mint.Records, key)
	if err == nil {
		revoked, err = o.revoke(ctx, lease, s)
	}
	if failure.IsStoreOrSeal(err) {
		o.mint.Records.Forget(key) // the revocation is not stored, but it is known here
	}
	if err != nil {
		return false, time.Time{}, err
	}
	return revoked, clock.Now().Add(records.Fresh), nil
}

// revoke revokes under a lease, so that no token is being minted meanwhile. The
// entry stays, emptied, because generations must continue to grow.
func (o Operator) revoke(ctx context.Context, lease store.Lease, s records.Snapshot) (revoked bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), mint.Timeout)
	defer cancel()
	revoked, failed := o.revokeAtProvider(ctx, s)
	next := row.Row{Entry: emptied(lease.Entry)}
	if failed != nil && failed.Code == api.ProviderUnavailable {
		next = revoking(lease, s, failed)
	}
	// What is left is sealed under a new generation, so that neither the token
	// nor a recovery blob of before is accepted any more.
	next.Generation = o.mint.Records.NextGeneration(lease.Entry)
	if err := o.mint.Records.Seal(ctx, &next); err != nil && next.State == store.Revoking {
		_ = leases.Release(ctx, o.mint.Records.Store, lease)
		return false, failure.Of(err).APIError(clock.Now())
	}
	if err := leases.Commit(ctx, o.mint.Records.Store, lease, next.Entry); err != nil {
		return false, failure.StoreUnavailable(err)
	}
	o.mint.Records.Committed(lease, &next, records.Store)
	o.mint.Registry.Relearn(ctx, lease.Entry.Key.Credential)
	return revoked, nil
}

func emptied(e store.Entry) store.Entry {
	empty := store.Entry{Key: e.Key, Generation: e.Generation, AskedAt: e.AskedAt}
	schedule.SetForgetAt(&e, clock.Now()) // as long as what it held
	empty.ForgetAt = e.ForgetAt
	return empty
}

// revoking returns an entry that is to be revoked at the provider later.
func revoking(lease store.Lease, s records.Snapshot, failed *failure.Cause) row.Row {
	next, now := s.Row.With(lease.Entry), clock.Now()
	next.Stamp(s.Record.Row)
	next.State = store.Revoking
	next.Failure = failed.After(lease.Entry, s.Record.Terms.Version, now)
	schedule.RetryRevocation(&next.Entry, now)
	return next
}

// revokeAtProvider has the provider revoke what the entry holds: the refresh
// token first, because it could obtain more. What was obtained at another
// destination is not sent to the one in force.
func (o Operator) revokeAtProvider(ctx context.Context, s records.Snapshot) (revoked bool, failed *failure.Cause) {
	if s.Record.Descriptor == nil || !s.Record.Descriptor.Revokes() || !s.Revocable {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, mint.ExchangeTimeout)
	defer cancel()
	c, record, err := o.mint.Registry.Credential(ctx, s.Record)
	if err != nil {
		return false, failure.Of(err)
	}
	d := record.Descriptor
	if d == nil || !d.Revokes() || !records.NewSnapshot(record, s.Row).Revocable {
		return false, nil
	}
	endpoint := provider.Endpoint{
		HTTP: o.mint.HTTP, Clocks: &o.mint.Clocks, Prover: o.mint.Prover, Descriptor: d, Client: c.Client,
	}
	for _, secret := range []redact.String{s.Row.Refresh, s.Row.Token.Access} {
		if secret.IsZero() {
			continue
		}
		err := endpoint.RevokeToken(ctx, secret)
		if err == nil {
			revoked = true
			continue
		}
		cause := ofRevocation(err)
		if failed == nil || cause.Code == api.ProviderUnavailable {
			failed = cause
		}
		if failed.Code == api.ProviderUnavailable {
			break
		}
	}
	return revoked && failed == nil, failed
}

// ofRevocation classifies the error of a revocation. Where a firewall, a proxy
// or DNS may have refused it, the provider was not reached, so that it is tried
// again. A 404 and the like are not: the URL may be wrong for good.
func ofRevocation(err error) *failure.Cause {
	cause := failure.Of(err)
	var refused *provider.Error
	if errors.As(err, &refused) && refused.Intermediary {
		switch refused.Status {
		case 0, http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
			cause.Code, cause.Permanent, cause.Client = api.ProviderUnavailable, false, false
		}
	}
	return cause
}

// RevokeAgain tries the revocation of an entry again that is revoking.
func (o Operator) RevokeAgain(ctx context.Context, key token.Key) error {
	if _, _, err := o.Revoke(ctx, key); err != nil {
		return err
	}
	if s := o.mint.Records.Recall(key); s.Row != nil && s.Row.State == store.Revoking {
		f := s.Row.Failure
		return failure.Until(api.ProviderUnavailable, f.Detail, f.RetryAt, clock.Now())
	}
	return nil
}
