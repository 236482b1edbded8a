package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// refresher holds a token, and requests the next one when it is told to.
type refresher struct {
	requests *requests
	settings

	held atomic.Pointer[held] // nil: no token

	mu       sync.Mutex
	call     *call // under way; nil: none
	failures int   // refreshes that have failed in a row
	refused  refusal
}

// held is a token at hand. It is replaced and never changed. Its times are in
// nanoseconds since 1970, by the wall clock: the monotonic one stops while
// Lambda freezes the process.
type held struct {
	token Token
	askAt int64 // from then on tokenvend is asked for another; never after end
	end   int64 // from then on the token is not returned
}

// refusal is a report that was refused, and is not repeated for a time.
type refusal struct {
	fingerprint string
	err         error
	until       int64
}

// call is one request for a token. A caller that waits for it reads token and
// err once done is closed. It goes on though all callers that waited have left:
// the next caller will want the token.
type call struct {
	rejected string // the fingerprint that it reports; "": none
	began    int64
	cancel   context.CancelFunc
	done     chan struct{}
	token    Token
	err      error
	over     bool // done is closed; guarded by the refresher's mu
}

// begin starts a request. It reports false once the client is closed. r.mu is
// held, and no request is under way.
func (r *refresher) begin(rejected string, now int64) bool {
	c := &call{rejected: rejected, began: now, done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(r.requests.ctx, r.timeout)
	c.cancel = cancel
	if !r.requests.start(func() { r.perform(ctx, c) }) {
		cancel()
		return false
	}
	r.call = c
	return true
}

// perform sends the request and tells all who wait.
func (r *refresher) perform(ctx context.Context, c *call) {
	defer c.cancel()
	began := time.Unix(0, c.began)
	request := r.request
	request.Rejected = c.rejected
	vended, err := send[api.Token](ctx, r.requests.transport, request)
	if err == nil && vended.AccessToken == "" {
		err = errors.New("tokenvend: an answer without a token")
	}
	if err != nil && r.requests.ctx.Err() != nil {
		err = ErrClosed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.finish(c, Token{}, err)
	} else {
		r.finish(c, tokenOf(vended, began), nil)
	}
}

// finish keeps what a request brought, if it is still the one under way, and
// tells all who wait. r.mu is held.
func (r *refresher) finish(c *call, t Token, err error) {
	if c.over {
		return
	}
	if r.call == c {
		r.call = nil
		r.keep(c, t, err)
	}
	c.token, c.err, c.over = t, err, true
	close(c.done)
}

// keep changes what is at hand by what a request brought. r.mu is held.
func (r *refresher) keep(c *call, t Token, err error) {
	if err != nil {
		r.failed(c, err)
		return
	}
	r.failures = 0
	r.held.Store(r.hold(t))
}

// Limits of how often tokenvend is asked in the background.
const (
	minPause = time.Second
	maxPause = 30 * time.Second
)

// maxMargin is the longest part of a token's end in which it is not returned.
const maxMargin = 10 * time.Second

// hold returns a token to be kept.
func (r *refresher) hold(t Token) *held {
	now := wall()
	left := time.Duration(t.ExpiresAt.UnixNano() - now)
	margin := max(min(maxMargin, left/10), time.Duration(r.request.MinTTL))
	end := t.ExpiresAt.Add(-margin).UnixNano()
	askAt := max(t.CacheUntil.UnixNano(), now+int64(minPause))
	return &held{t, min(askAt, end), end}
}

// failed decides what a failure means for the token at hand, and when tokenvend
// is asked next. r.mu is held.
func (r *refresher) failed(c *call, err error) {
	if r.log != nil {
		r.log.LogAttrs(context.Background(), slog.LevelWarn, "tokenvend: a token was not obtained",
			slog.String("credential", r.request.Credential), slog.String("error", err.Error()))
	}
	wait, passing := isPassing(err)
	next := wall() + int64(min(max(wait, minPause<<min(r.failures, 5)), maxPause))
	if c.rejected != "" {
		r.refused = refusal{c.rejected, err, next}
		return
	}
	r.failures++
	switch h := r.held.Load(); {
	case h == nil:
	case passing:
		r.held.Store(&held{h.token, min(next, h.end), h.end})
	default:
		r.held.Store(nil)
	}
}

// abandonStuck gives up a request that has outlived its time by the wall clock:
// it was frozen with the process, or its transport ignores its context. r.mu is
// held.
func (r *refresher) abandonStuck(now int64) {
	const grace = 2 * time.Second
	if c := r.call; c != nil && now > c.began+int64(r.timeout+grace) {
		c.cancel()
		r.finish(c, Token{}, fmt.Errorf("tokenvend: no answer within %v: %w", r.timeout, context.DeadlineExceeded))
	}
}

// isPassing reports whether an error says nothing against the token at hand,
// and how long to wait before tokenvend is asked again; 0: it does not say.
func isPassing(err error) (wait time.Duration, ok bool) {
	if e, is := errors.AsType[*api.Error](err); is {
		return e.RetryAfter, isPassingStatus(e.Code.Status())
	}
	if e, is := errors.AsType[*GatewayError](err); is {
		return 0, isPassingStatus(e.Status)
	}
	return 0, true
}

func isPassingStatus(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// wall returns the time in nanoseconds since 1970.
func wall() int64 { return time.Now().UnixNano() }
