package mint

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// seize takes the lease on an entry whatever it holds, for what an operator does to it, and waits while another holds it. What comes back is as it stands under the lease.
func (m *Mint) seize(ctx context.Context, key token.Key) (store.Lease, view, error) {
	for pause := firstPause; ; pause = min(2*pause, longestRest) {
		rows, err := m.load(ctx, store.Strong, token.RecordKey(key.Credential), key)
		if err != nil {
			return store.Lease{}, view{}, problem(err)
		}
		v := m.viewOf(rows[0], rows[1])
		if err := enoughTime(ctx); err != nil {
			return store.Lease{}, view{}, err
		}
		lease, err := m.Store.Acquire(ctx, v.entry.entry, LeaseTTL)
		switch {
		case err == nil:
			return lease, v, nil
		case !errors.Is(err, store.ErrChanged) && !errors.Is(err, store.ErrLeased):
			return store.Lease{}, view{}, storeUnavailable(err)
		}
		if sleep(ctx, pause) != nil {
			return store.Lease{}, view{}, &api.Error{Code: api.ProviderUnavailable, Detail: "a token is being minted just now", RetryAfter: shortestWait}
		}
	}
}

// release gives a lease back and leaves the entry as it stood, but for what a holder that vanished may have done.
func (m *Mint) release(ctx context.Context, lease store.Lease) error {
	e := lease.Entry
	e.RefreshSpent = e.RefreshSpent || lease.Attempt > 1
	if e.ForgetAt.IsZero() {
		e.ForgetAt = forgetAt(e, wall())
	}
	return m.commit(ctx, lease, e)
}
