package client

import (
	"context"
	"fmt"
)

// Source is where one credential's tokens come from. Its methods are safe for
// concurrent use.
type Source struct{ refresher }

// Token returns a token that is good for a request now. It returns the token at
// hand without waiting as long as that is good; see "Waiting" in the package's
// comment. Without one it waits, and at most as long as ctx.
func (s *Source) Token(ctx context.Context) (Token, error) {
	if h := s.held.Load(); h != nil && wall() < h.askAt {
		return h.token, nil
	}
	return s.token(ctx, "")
}

// Reject reports that an API answered 401 to the token with this fingerprint,
// and returns another. Many reports of one token are sent once. A token younger
// than 30 seconds is not replaced: that error is too_many_reports, and the 401
// then has another reason.
func (s *Source) Reject(ctx context.Context, fingerprint string) (Token, error) {
	return s.token(ctx, fingerprint)
}

// Forget drops the token at hand, after a revocation or a new grant. The next
// call asks tokenvend.
func (s *Source) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.Store(nil)
	s.call = nil // what it brings goes to those who wait for it, and is not kept
}

// token returns a token other than the rejected one: the one at hand, or what a
// request brings.
func (s *Source) token(ctx context.Context, rejected string) (Token, error) {
	for {
		at, c, err := s.enter(rejected)
		if c == nil {
			return at, err
		}
		select {
		case <-c.done:
		case <-ctx.Done():
			return Token{}, fmt.Errorf("tokenvend: no token of %s yet: %w", s.request.Credential, ctx.Err())
		}
		if c.rejected == rejected || c.err == nil && c.token.Fingerprint != rejected {
			return c.token, c.err
		}
	}
}

// enter returns the token at hand if it will do, else the request to wait for:
// the one that is under way, or a new one.
func (s *Source) enter(rejected string) (Token, *call, error) {
	now := wall()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandonStuck(now)
	if h := s.held.Load(); h != nil && now < h.end && h.token.Fingerprint != rejected {
		if now >= h.askAt {
			s.refresh(h, now)
		}
		return h.token, nil, nil
	}
	if r := s.refused; rejected != "" && rejected == r.fingerprint && now < r.until {
		return Token{}, nil, r.err
	}
	if s.call == nil && !s.begin(rejected, now) {
		return Token{}, nil, ErrClosed
	}
	return Token{}, s.call, nil
}

// refresh has a request for another token under way, and lets callers have h
// without a look at it until it is over. s.mu is held.
func (s *Source) refresh(h *held, now int64) {
	askAt := now + int64(s.timeout)
	if s.call == nil && !s.begin("", now) {
		askAt = h.end
	}
	s.held.Store(&held{h.token, min(askAt, h.end), h.end})
}
