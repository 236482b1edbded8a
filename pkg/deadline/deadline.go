// Package deadline has a context that ends at a time and starts no timer before
// something waits for its end, and one that outlasts another.
package deadline

import (
	"context"
	"sync"
	"time"
)

// Context ends at a time, or with its parent. In contrast to
// [context.WithDeadline] it starts a timer only when something waits for its
// end. An answer from memory waits for nothing, and such answers are most of
// what a server gives: their timers took a twentieth of its processor time. Its
// methods are safe for concurrent use.
type Context struct {
	context.Context // the parent
	end             time.Time

	mu     sync.Mutex
	timed  context.Context // nil: nothing has waited yet
	cancel context.CancelFunc
}

// New returns a context that ends at the time end, which is not after its
// parent's. It is to be released.
func New(parent context.Context, end time.Time) *Context {
	return &Context{Context: parent, end: end}
}

// Deadline implements context.Context.
func (d *Context) Deadline() (time.Time, bool) { return d.end, true }

// Done implements context.Context.
func (d *Context) Done() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timed == nil {
		d.timed, d.cancel = context.WithDeadline(d.Context, d.end)
	}
	return d.timed.Done()
}

// Err implements context.Context.
func (d *Context) Err() error {
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
func (d *Context) Value(key any) any {
	if timed := d.started(); timed != nil {
		return timed.Value(key)
	}
	return d.Context.Value(key)
}

func (d *Context) started() context.Context {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.timed
}

// Release ends what waits, and stops the timer. The context must not be used
// after it.
func (d *Context) Release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cancel != nil {
		d.cancel()
	}
}

// Outlast returns a context that ends some time after ctx, so that what was
// begun is done to its end. It is to be cancelled.
func Outlast(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(by, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}
