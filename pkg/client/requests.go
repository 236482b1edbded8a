package client

import (
	"context"
	"errors"
	"sync"
)

// ErrClosed is the error of a call that needs tokenvend after [Client.Close].
var ErrClosed = errors.New("tokenvend: the client is closed")

// requests are the requests of a client that are under way.
type requests struct {
	transport Transport
	ctx       context.Context // of every request; close ends it
	cancel    context.CancelFunc

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
}

func newRequests(t Transport) *requests {
	r := &requests{transport: t}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// start runs f in a goroutine that close waits for. It reports false, and runs
// nothing, once the client is closed.
func (r *requests) start(f func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.calls.Go(f)
	return true
}

// close ends the requests and waits for them.
func (r *requests) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.cancel()
	r.calls.Wait()
}
