package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// call is one request for a token. Whoever waits for it reads token and err
// once done is closed. It goes on though all who waited have left: the next
// caller will want the token.
type call struct {
	rejected string // the fingerprint that it reports; "": none
	began    int64
	cancel   context.CancelFunc
	done     chan struct{}
	token    Token
	err      error
	over     bool // done is closed; guarded by the source's mu
}

// begin starts a request. It reports false once the client is closed. s.mu is
// held, and no request is under way.
func (s *Source) begin(rejected string, now int64) bool {
	c := &call{rejected: rejected, began: now, done: make(chan struct{})}
	ctx, cancel := context.WithTimeout(s.client.ctx, s.timeout)
	c.cancel = cancel
	if !s.client.start(func() { s.perform(ctx, c) }) {
		cancel()
		return false
	}
	s.call = c
	return true
}

// perform sends the request and tells all who wait.
func (s *Source) perform(ctx context.Context, c *call) {
	defer c.cancel()
	began := time.Unix(0, c.began)
	r := s.request
	r.Rejected = c.rejected
	vended, err := send[api.Token](ctx, s.client.transport, r)
	if err == nil && vended.AccessToken == "" {
		err = errors.New("tokenvend: an answer without a token")
	}
	if err != nil && s.client.ctx.Err() != nil {
		err = ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.finish(c, Token{}, err)
	} else {
		s.finish(c, tokenOf(vended, began), nil)
	}
}

// finish keeps what a request brought, if it is still the one under way, and
// tells all who wait. s.mu is held.
func (s *Source) finish(c *call, t Token, err error) {
	if c.over {
		return
	}
	if s.call == c {
		s.call = nil
		s.keep(c, t, err)
	}
	c.token, c.err, c.over = t, err, true
	close(c.done)
}

// keep changes what is at hand by what a request brought. s.mu is held.
func (s *Source) keep(c *call, t Token, err error) {
	if err != nil {
		s.failed(c, err)
		return
	}
	s.failures = 0
	s.held.Store(s.hold(t))
}

// Limits of how often tokenvend is asked in the background.
const (
	minPause = time.Second
	maxPause = 30 * time.Second
)

// maxMargin is the longest part of a token's end in which it is not returned.
const maxMargin = 10 * time.Second

// hold returns a token to be kept.
func (s *Source) hold(t Token) *held {
	now := wall()
	left := time.Duration(t.ExpiresAt.UnixNano() - now)
	margin := max(min(maxMargin, left/10), time.Duration(s.request.MinTTL))
	end := t.ExpiresAt.Add(-margin).UnixNano()
	askAt := max(t.CacheUntil.UnixNano(), now+int64(minPause))
	return &held{t, min(askAt, end), end}
}

// failed decides what a failure means for the token at hand, and when tokenvend
// is asked next. s.mu is held.
func (s *Source) failed(c *call, err error) {
	if s.log != nil {
		s.log.LogAttrs(context.Background(), slog.LevelWarn, "tokenvend: a token was not obtained",
			slog.String("credential", s.request.Credential), slog.String("error", err.Error()))
	}
	wait, passing := isPassing(err)
	next := wall() + int64(min(max(wait, minPause<<min(s.failures, 5)), maxPause))
	if c.rejected != "" {
		s.refused = refusal{c.rejected, err, next}
		return
	}
	s.failures++
	switch h := s.held.Load(); {
	case h == nil:
	case passing:
		s.held.Store(&held{h.token, min(next, h.end), h.end})
	default:
		s.held.Store(nil)
	}
}

// abandonStuck gives up a request that has outlived its time by the wall clock:
// it was frozen with the process, or its transport ignores its context. s.mu is
// held.
func (s *Source) abandonStuck(now int64) {
	const grace = 2 * time.Second
	if c := s.call; c != nil && now > c.began+int64(s.timeout+grace) {
		c.cancel()
		s.finish(c, Token{}, fmt.Errorf("tokenvend: no answer within %v: %w", s.timeout, context.DeadlineExceeded))
	}
}

// isPassing reports whether an error says nothing against the token at hand,
// and how long to wait before tokenvend is asked again; 0: it does not say.
func isPassing(err error) (wait time.Duration, ok bool) {
	if e, is := errors.AsType[*api.Error](err); is {
		return e.RetryAfter, e.Code.Status() >= http.StatusInternalServerError
	}
	if e, is := errors.AsType[*GatewayError](err); is {
		return 0, e.Status == http.StatusTooManyRequests || e.Status >= http.StatusInternalServerError
	}
	return 0, true
}
