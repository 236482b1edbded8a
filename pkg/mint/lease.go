package mint

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

// Acquire takes the lease on an entry whatever it holds, for what an operator
// does to it, and waits while another process holds it. The snapshot is that
// under the lease. Errors are of type *api.Error.
func (m *Mint) Acquire(ctx context.Context, key token.Key) (store.Lease, records.Snapshot, error) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		s, err := m.Records.LoadSnapshot(ctx, store.Strong, key)
		if err != nil {
			return store.Lease{}, s, failure.API(err)
		}
		if err := enoughTime(ctx); err != nil {
			return store.Lease{}, s, err
		}
		lease, err := m.Records.Store.Acquire(ctx, s.Row.Entry, LeaseTTL)
		switch {
		case err == nil:
			return lease, s, nil
		case !errors.Is(err, store.ErrChanged) && !errors.Is(err, store.ErrLeased):
			return store.Lease{}, s, failure.StoreUnavailable(err)
		}
		if sleep(ctx, pause) != nil {
			return store.Lease{}, s, failure.Soon(api.ProviderUnavailable, "a token is being minted just now")
		}
	}
}

// Release gives a lease back and leaves the entry as it is, except for what an
// earlier holder may have done that did not commit.
func (m *Mint) Release(ctx context.Context, lease store.Lease) error {
	e := lease.Entry
	e.RefreshSpent = e.RefreshSpent || lease.Attempt > 1
	if e.ForgetAt.IsZero() {
		schedule.Keep(&e, clock.Now())
	}
	return m.Commit(ctx, lease, e)
}

// Commit writes the entry and gives the lease back. It repeats that until ctx
// ends: what the provider has returned must not be lost.
func (m *Mint) Commit(ctx context.Context, lease store.Lease, next store.Entry) error {
	for {
		err := m.Records.Store.Commit(ctx, lease, next)
		if err == nil || errors.Is(err, store.ErrLeaseLost) {
			return err
		}
		if sleep(ctx, commitPause) != nil {
			return err
		}
	}
}

// enoughTime returns an error if too little time is left for a whole mint: no
// lease is taken that could not be used.
func enoughTime(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < Timeout {
		return failure.Soon(api.ProviderUnavailable, "too little time is left to ask the provider")
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
