package records

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// MakeDue makes an entry due at a time. One that another process has changed or
// leases is left to that process, without an error.
func (r *Records) MakeDue(ctx context.Context, e store.Entry, at time.Time) error {
	next := e
	schedule.Due(&next, at)
	_, err := r.Store.Replace(ctx, e, next)
	if err == nil || errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrLeased) {
		return nil
	}
	return failure.StoreUnavailable(err)
}

// EndKeeping makes those entries of a credential due that are kept for an
// operator to accept. It is for a credential that was removed: nothing can be
// accepted any more, so they are kept as long as others.
func (r *Records) EndKeeping(ctx context.Context, credential string, at time.Time) error {
	var failed error
	for e, err := range r.Each(ctx, credential) {
		if err == nil && e.ForgetAt.IsZero() {
			err = r.MakeDue(ctx, e, at)
		}
		failed = cmp.Or(err, failed)
	}
	return failed
}

// Requeue makes due what new terms concern: the default entry of a credential
// that is kept warm, and entries that failed or were minted for other terms.
func (r *Records) Requeue(ctx context.Context, record *Known) (failed error) {
	now, terms := clock.Now(), record.Terms
	missing := terms.KeepWarm
	for e, err := range r.Each(ctx, terms.Name) {
		if err != nil {
			return err
		}
		e.ProviderHost, e.ProviderLimit = record.Host(), record.Concurrency()
		warm := record.IsWarm(e.Key)
		missing = missing && !warm
		switch {
		case !e.Failure.IsZero(), r.ObtainedOtherwise(ctx, record, e):
			err = r.MakeDue(ctx, e, now)
		case warm && e.NextAt.IsZero():
			err = r.MakeDue(ctx, e, schedule.Planned(e, now))
		}
		failed = cmp.Or(failed, err)
	}
	if missing {
		err := r.MakeDue(ctx, store.Entry{
			Key: token.Key{Credential: terms.Name}, ProviderHost: record.Host(), ProviderLimit: record.Concurrency(),
		}, now)
		failed = cmp.Or(failed, err)
	}
	return failed
}
