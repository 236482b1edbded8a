// Package leases takes the lease on an entry, which is the exclusive right to
// replace what it holds, and ends it by a commit.
package leases

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	firstPause   = 20 * time.Millisecond
	longestPause = 500 * time.Millisecond
	commitPause  = 100 * time.Millisecond
)

// The timeouts of what is done under a lease. The time of all requests of one
// mint, [schedule.ExchangeTimeout], is shorter than Timeout, that than TTL, and
// that than the timeout of the vend function.
const (
	Timeout = 13 * time.Second // a whole mint, from the lease to the commit
	TTL     = 15 * time.Second // the lease
)

// Acquire takes the lease on an entry whatever it holds, for what an operator
// does to it, and waits while another process holds it. The snapshot is that
// under the lease. Errors are of type *api.Error.
func Acquire(ctx context.Context, r *records.Records, key token.Key) (store.Lease, records.Snapshot, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		s, err := r.LoadSnapshot(ctx, store.Strong, key)
		if err != nil {
			return store.Lease{}, s, failure.API(err)
		}
		if err := EnoughTime(ctx); err != nil {
			return store.Lease{}, s, err
		}
		lease, err := r.Store.Acquire(ctx, s.Row.Entry, TTL)
		switch {
		case err == nil:
			return lease, s, nil
		case !errors.Is(err, store.ErrChanged) && !errors.Is(err, store.ErrLeased):
			return store.Lease{}, s, failure.StoreUnavailable(err)
		}
		if clock.Sleep(ctx, pause) != nil {
			return store.Lease{}, s, failure.Soon(api.ProviderUnavailable, "a token is being minted just now")
		}
	}
}

// Release gives a lease back and leaves the entry as it is, except for what an
// earlier holder may have done that did not commit.
func Release(ctx context.Context, s store.Store, lease store.Lease) error {
	e := lease.Entry
	e.RefreshSpent = e.RefreshSpent || lease.Attempt > 1
	if e.ForgetAt.IsZero() && len(e.Sealed) == 0 { // what is kept for an operator stays
		schedule.SetForgetAt(&e, clock.Now())
	}
	return Commit(ctx, s, lease, e)
}

// Commit writes the entry and gives the lease back. It repeats that until ctx
// ends: what the provider has returned must not be lost.
func Commit(ctx context.Context, s store.Store, lease store.Lease, next store.Entry) error {
	for {
		err := s.Commit(ctx, lease, next)
		if err == nil || errors.Is(err, store.ErrLeaseLost) {
			return err
		}
		if clock.Sleep(ctx, commitPause) != nil {
			return err
		}
	}
}

// EnoughTime returns an error if too little time is left for a whole mint: no
// lease is taken that could not be used.
func EnoughTime(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < Timeout {
		return failure.Soon(api.ProviderUnavailable, "too little time is left to ask the provider")
	}
	return nil
}
