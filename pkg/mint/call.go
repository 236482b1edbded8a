package mint

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/leases"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// staleWait is how long a caller waits for a better token if it can use the one
// at hand.
const staleWait = 2 * time.Second

// advance returns a snapshot of the key that is newer than s, or an error. With
// an error the snapshot is s.
func (m *Mint) advance(ctx context.Context, key token.Key, s records.Snapshot, w Want) (records.Snapshot, error) {
	c := m.join(ctx, key, s, w)
	if !w.Proactive && w.canUse(s, clock.Now()) {
		select {
		case <-c.done:
			return c.result(s)
		case <-ctx.Done():
		case <-time.After(staleWait):
		}
		if w.canUse(s, clock.Now()) {
			return s, c.pending()
		}
	}
	select {
	case <-c.done:
		return c.result(s)
	case <-ctx.Done():
		return s, c.pending()
	}
}

// result returns the snapshot of a finished call; with an error, s.
func (c *call) result(s records.Snapshot) (records.Snapshot, error) {
	if c.err != nil {
		return s, c.err
	}
	return c.snapshot, nil
}

// pending is the answer for callers that cannot wait any longer.
func (c *call) pending() *api.Error {
	const detail = "the exchange with the provider is still under way"
	return failure.Until(api.ProviderUnavailable, detail, time.UnixMilli(c.leasedUntil.Load()), clock.Now())
}

// join joins the key's call, or starts one that outlives ctx's cancellation but
// not its deadline.
func (m *Mint) join(ctx context.Context, key token.Key, s records.Snapshot, w Want) *call {
	m.calls.mu.Lock()
	defer m.calls.mu.Unlock()
	if c := m.calls.byKey[key]; c != nil {
		return c
	}
	if m.calls.byKey == nil {
		m.calls.byKey = map[token.Key]*call{}
	}
	c := &call{done: make(chan struct{})}
	c.leasedUntil.Store(clock.Now().Add(LeaseTTL).UnixMilli())
	m.calls.byKey[key] = c
	m.calls.running.Go(func() {
		ctx, cancel := detach(ctx)
		defer cancel()
		defer m.finish(key, c)
		defer failure.Recover(ctx, m.Journal, &c.err)
		c.snapshot, c.err = m.mintOrWatch(ctx, c, s, w)
	})
	return c
}

// finish wakes all that wait for a call.
func (m *Mint) finish(key token.Key, c *call) {
	m.calls.mu.Lock()
	delete(m.calls.byKey, key)
	m.calls.mu.Unlock()
	close(c.done)
}

// detach returns ctx without its cancellation and with its deadline.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(LeaseTTL + Timeout)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}

// mintOrWatch takes the lease and mints, or watches the holder of the lease.
func (m *Mint) mintOrWatch(ctx context.Context, c *call, s records.Snapshot, w Want) (records.Snapshot, error) {
	for {
		if now := clock.Now(); !now.Before(s.Row.LeasedUntil) {
			next, leased, err := m.mint(ctx, c, s, w)
			if !leased {
				return next, err
			}
			s = next
		}
		c.leasedUntil.Store(s.Row.LeasedUntil.UnixMilli())
		next, err := m.watch(ctx, c, s)
		if err != nil || next.Row.Revision != s.Row.Revision {
			return next, err
		}
		s = next
	}
}

// mint takes the lease and mints. leased: another process holds the lease, and
// the snapshot shows until when.
func (m *Mint) mint(
	ctx context.Context, c *call, s records.Snapshot, w Want,
) (next records.Snapshot, leased bool, err error) {
	if err := leases.EnoughTime(ctx); err != nil {
		return s, false, err
	}
	if !w.IgnoreBackoff {
		done, err := m.Hosts.Allow(ctx, s)
		if err != nil {
			return s, false, err
		}
		defer done()
	}
	lease, err := m.Records.Store.Acquire(ctx, s.Row.Entry, LeaseTTL)
	switch {
	case err == nil:
		c.leasedUntil.Store(lease.Until.UnixMilli())
		next, err = m.Run(ctx, lease, s, attempt.Request{
			Caller: w.Caller, Proactive: w.Proactive, IgnoreBackoff: w.IgnoreBackoff,
			Reported: w.isReport(s, clock.Now()),
		})
		return next, false, err
	case errors.Is(err, store.ErrChanged):
		next, err = m.Records.Reload(ctx, s)
		return next, false, err
	case !errors.Is(err, store.ErrLeased):
		return s, false, failure.StoreUnavailable(err)
	}
	return records.NewSnapshot(s.Record, m.Records.Leased(s.Row, lease.Entry)), true, nil
}

const (
	firstPause   = 20 * time.Millisecond
	longestPause = 500 * time.Millisecond
)

// watch reads a leased entry, with growing pauses, until it changes or the
// lease ends.
func (m *Mint) watch(ctx context.Context, c *call, s records.Snapshot) (records.Snapshot, error) {
	revision := s.Row.Revision
	for pause := firstPause; ; pause = min(pause*3/2, longestPause) {
		if err := clock.Sleep(ctx, pause); err != nil {
			return s, c.pending()
		}
		next, err := m.Records.Reload(ctx, s)
		if err != nil {
			return s, err
		}
		s = next
		if s.Row.Revision != revision || !clock.Now().Before(s.Row.LeasedUntil) {
			return s, nil
		}
		c.leasedUntil.Store(s.Row.LeasedUntil.UnixMilli())
	}
}
