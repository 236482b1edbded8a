package mint

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// flights holds, for each key, the one attempt of this process to get past what was seen: by minting, or by watching another process mint.
type flights struct {
	mu      sync.Mutex
	byKey   map[token.Key]*flight
	running sync.WaitGroup
}

// flight is one such attempt. view and err are set before done is closed.
type flight struct {
	done        chan struct{}
	view        view
	err         error
	leasedUntil atomic.Int64 // Unix milliseconds; of the lease that is waited for, ours or another's
}

// advance returns a view of the key that is newer than v, or says why there is none. With an error the view is v.
func (m *Mint) advance(ctx context.Context, key token.Key, v view, w Want) (view, error) {
	f := m.join(ctx, key, v, w)
	if !w.Proactive && v.suffices(w, wall()) {
		select {
		case <-f.done:
			return f.seen(v)
		case <-ctx.Done():
		case <-time.After(patience):
		}
		if v.suffices(w, wall()) {
			return v, f.pending()
		}
	}
	select {
	case <-f.done:
		return f.seen(v)
	case <-ctx.Done():
		return v, f.pending()
	}
}

// seen is the view that a finished flight leads to; with an error, v.
func (f *flight) seen(v view) (view, error) {
	if f.err != nil {
		return v, f.err
	}
	return f.view, nil
}

// pending is the answer for those who cannot wait any longer.
func (f *flight) pending() *api.Error {
	return refusal(api.ProviderUnavailable, "the exchange with the provider is still under way", time.UnixMilli(f.leasedUntil.Load()), wall())
}

// join enters the key's flight, or starts one that outlives ctx's cancellation but not its deadline.
func (m *Mint) join(ctx context.Context, key token.Key, v view, w Want) *flight {
	m.flights.mu.Lock()
	defer m.flights.mu.Unlock()
	if f := m.flights.byKey[key]; f != nil {
		return f
	}
	if m.flights.byKey == nil {
		m.flights.byKey = map[token.Key]*flight{}
	}
	f := &flight{done: make(chan struct{})}
	f.leasedUntil.Store(wall().Add(LeaseTTL).UnixMilli())
	m.flights.byKey[key] = f
	m.flights.running.Go(func() {
		ctx, cancel := detach(ctx)
		defer cancel()
		defer m.land(key, f)
		defer m.recovered(ctx, &f.err)
		f.view, f.err = m.fly(ctx, f, v, w)
	})
	return f
}

// land tells all who wait.
func (m *Mint) land(key token.Key, f *flight) {
	m.flights.mu.Lock()
	delete(m.flights.byKey, key)
	m.flights.mu.Unlock()
	close(f.done)
}

// recovered makes a panic an error, where it is deferred: it is nobody's reason to end the process that others are served by.
func (m *Mint) recovered(ctx context.Context, err *error) {
	if value := recover(); value != nil {
		m.Journal.Panic(ctx, value, "")
		*err = &api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log"}
	}
}

// detach keeps a context's deadline and values, and lets go of its cancellation.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(LeaseTTL + Timeout)
	}
	return context.WithDeadline(context.WithoutCancel(ctx), deadline)
}

// fly takes the lease and mints, or watches whoever holds it.
func (m *Mint) fly(ctx context.Context, f *flight, v view, w Want) (view, error) {
	for {
		if now := wall(); !now.Before(v.entry.entry.LeasedUntil) {
			next, leased, err := m.lead(ctx, f, v, w)
			if !leased {
				return next, err
			}
			v = next
		}
		f.leasedUntil.Store(v.entry.entry.LeasedUntil.UnixMilli())
		next, err := m.watch(ctx, f, v)
		if err != nil || next.entry.entry.Revision != v.entry.entry.Revision {
			return next, err
		}
		v = next
	}
}

// lead takes the lease and mints. leased: another process holds the lease, and
// the view shows until when.
func (m *Mint) lead(ctx context.Context, f *flight, v view, w Want) (next view, leased bool, err error) {
	if err := enoughTime(ctx); err != nil {
		return v, false, err
	}
	done, err := m.hostAllows(ctx, v, w)
	if err != nil {
		return v, false, err
	}
	defer done()
	lease, err := m.Store.Acquire(ctx, v.entry.entry, LeaseTTL)
	switch {
	case err == nil:
		f.leasedUntil.Store(lease.Until.UnixMilli())
		next, err = m.attempt(ctx, lease, v, w)
		return next, false, err
	case errors.Is(err, store.ErrChanged):
		next, err = m.reload(ctx, v)
		return next, false, err
	case !errors.Is(err, store.ErrLeased):
		return v, false, storeUnavailable(err)
	}
	v.entry = m.memory.put(v.entry.with(lease.Entry), Store, wall())
	return v, true, nil
}

// enoughTime says whether what is left of ctx is enough for a whole mint: nothing is claimed that could not be finished.
func enoughTime(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < Timeout {
		return &api.Error{Code: api.ProviderUnavailable, Detail: "too little time is left to ask the provider", RetryAfter: shortestWait}
	}
	return nil
}

// reload reads both rows anew, so that the failure of another is seen as well as its success.
func (m *Mint) reload(ctx context.Context, v view) (view, error) {
	key := v.entry.entry.Key
	rows, err := m.load(ctx, store.Strong, token.RecordKey(key.Credential), key)
	if err != nil {
		return v, err
	}
	return m.viewOf(rows[0], rows[1]), nil
}

const (
	firstPause  = 20 * time.Millisecond
	longestRest = 500 * time.Millisecond
)

// watch looks at a leased entry, with growing pauses, until it changes or the lease is over.
func (m *Mint) watch(ctx context.Context, f *flight, v view) (view, error) {
	revision := v.entry.entry.Revision
	for pause := firstPause; ; pause = min(pause*3/2, longestRest) {
		if err := sleep(ctx, pause); err != nil {
			return v, f.pending()
		}
		next, err := m.reload(ctx, v)
		if err != nil {
			return v, err
		}
		v = next
		e := v.entry.entry
		if e.Revision != revision || !wall().Before(e.LeasedUntil) {
			return v, nil
		}
		f.leasedUntil.Store(e.LeasedUntil.UnixMilli())
	}
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
