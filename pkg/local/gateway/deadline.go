package gateway

import (
	"context"
	"sync"
	"time"
)

// deadline is a context that ends at a time. In contrast to
// [context.WithDeadline] it starts a timer only when something waits for its
// end. An answer from memory waits for nothing, and such answers are most of
// what a server gives: their timers took a twentieth of its processor time.
type deadline struct {
	context.Context // the request's
	end             time.Time

	mu     sync.Mutex
	timed  context.Context // nil: nothing has waited yet
	cancel context.CancelFunc
}

// Deadline implements context.Context.
func (d *deadline) Deadline() (time.Time, bool) { return d.end, true }

// Done implements context.Context.
func (d *deadline) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithDeadline(d.Context, d.end)
	}
	return d.timed.Done()
}

// Err implements context.Context.
func (d *deadline) Err() error {
	if timed := d.started(); timed != nil {
		return timed.Err()
	}
	if !time.Now().Before(d.end) {
		return context.DeadlineExceeded
	}
	return d.Context.Err()
}

// Value implements context.Context. Package context finds the timer's context
// by it, so that a derived context needs no goroutine.
func (d *deadline) Value(key any) any {
	if timed := d.started(); timed != nil {
		return timed.Value(key)
	}
	return d.Context.Value(key)
}

func (d *deadline) started() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.timed
}

// release stops the timer. The context must not be used after it.
func (d *deadline) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
}
