package client

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Token returns a token of a credential: the one at hand until its cache_until, then another. Where that can't be had for now, the one at hand is returned as long as it lives.
// Many calls at once ask tokenvend once.
func (c *Client) Token(ctx context.Context, credential string, options ...Option) (api.Token, error) {
	return c.token(ctx, request(credential, options))
}

// Reject reports that an API answered 401 to the token of that fingerprint, and returns another. Many reports of one token are sent once.
// A token younger than 30 seconds is not replaced: that error is too_many_reports, and the 401 then has another reason.
func (c *Client) Reject(ctx context.Context, credential, fingerprint string, options ...Option) (api.Token, error) {
	r := request(credential, options)
	r.Rejected = fingerprint
	return c.token(ctx, r)
}

// slotKey is what a token was asked for by.
type slotKey struct{ credential, scope, audience, account string }

// slot holds one token, and the one request for another that is under way.
type slot struct {
	mu       sync.Mutex
	token    api.Token
	keep     time.Time // until when the token is given out without asking
	expires  time.Time // on our clock
	notAgain time.Time // while the token lives, tokenvend is not asked before
	flight   *flight
}

// flight is one request. token, err and left are set before done is closed.
type flight struct {
	request api.Request
	done    chan struct{}
	token   api.Token
	err     error
	left    bool // whoever sent it went away: its error is nobody else's

	landed bool
	until  time.Time // how long a report that brought no token is answered from here
}

// mostSlots bounds what a client keeps.
const mostSlots = 1000

func (c *Client) slot(r api.Request) *slot {
	scopes := slices.Compact(slices.Sorted(strings.FieldsSeq(r.Scope)))
	key := slotKey{r.Credential, strings.Join(scopes, " "), r.Audience, r.Account}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots[key] == nil {
		for old := range c.slots {
			if len(c.slots) < mostSlots {
				break
			}
			delete(c.slots, old) // any one: it is asked for again
		}
		c.slots[key] = &slot{}
	}
	return c.slots[key]
}

// token returns a token that is what r asks, out of its slot or from tokenvend.
func (c *Client) token(ctx context.Context, r api.Request) (api.Token, error) {
	s := c.slot(r)
	for {
		held, f, mine := s.enter(r, wall())
		switch {
		case f == nil:
			return held, nil
		case mine:
			return c.fly(ctx, s, f)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return api.Token{}, ctx.Err()
		}
		switch {
		case f.err == nil && answers(f.token, r, time.Duration(f.token.ExpiresIn)):
			return f.token, nil
		case f.err != nil && !f.left && f.request == r:
			return s.orHeld(r, f.err)
		}
	}
}

// enter returns the token at hand where that will do, else the request that is under way, else a new one that is the caller's to send.
func (s *slot) enter(r api.Request, now time.Time) (held api.Token, f *flight, mine bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if answers(s.token, r, s.expires.Sub(now)) && (now.Before(s.keep) || now.Before(s.notAgain)) {
		return s.held(now), nil, false
	}
	if f := s.flight; f != nil && (!f.landed || f.request == r && now.Before(f.until)) {
		return api.Token{}, f, false
	}
	s.flight = &flight{request: r, done: make(chan struct{})}
	return api.Token{}, s.flight, true
}

// answers says whether a token with so much left lives, lives long enough, and is not the one reported.
func answers(t api.Token, r api.Request, left time.Duration) bool {
	return left >= max(time.Duration(r.MinTTL), time.Second) && t.Fingerprint != r.Rejected
}

// held is the token at hand, with what is left of it now.
func (s *slot) held(now time.Time) api.Token {
	t := s.token
	t.ExpiresIn = api.Seconds(s.expires.Sub(now))
	return t
}

// fly sends the request, and tells all who wait.
func (c *Client) fly(ctx context.Context, s *slot, f *flight) (api.Token, error) {
	began := wall()
	f.err = errors.New("tokenvend: the request ended in a panic")
	defer s.land(f)
	f.token, f.err = c.ask(ctx, f.request)
	f.left = ctx.Err() != nil
	if f.err == nil {
		s.put(f.token, began)
		return f.token, nil
	}
	s.pause(f, wall())
	return s.orHeld(f.request, f.err)
}

func (s *slot) land(f *flight) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.landed = true
	close(f.done)
}

func (c *Client) ask(ctx context.Context, r api.Request) (t api.Token, err error) {
	k := call{http.MethodGet, path(r.Credential), query(r), nil}
	if r.Rejected != "" {
		body := r
		body.Credential = "" // the path says it
		k.method, k.query, k.body = http.MethodPost, nil, body
	}
	if err = c.send(ctx, k, &t); err == nil && t.AccessToken == "" {
		err = errors.New("tokenvend: an answer without a token")
	}
	return t, err
}

// put keeps a token. Its times are counted from what is left of it, so that a wrong clock here does no harm.
func (s *slot) put(t api.Token, began time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.notAgain = t, time.Time{}
	s.expires = began.Add(time.Duration(t.ExpiresIn))
	s.keep = s.expires.Add(-t.ExpiresAt.Sub(t.CacheUntil))
}

// Bounds of the time after a request that failed, in which it is not sent again: for a token while one lives, for a report in any case.
const (
	shortestPause = time.Second
	longestPause  = 30 * time.Second
)

func (s *slot) pause(f *flight, now time.Time) {
	if f.left {
		return
	}
	wait, passes := passing(f.err)
	until := now.Add(min(max(wait, shortestPause), longestPause))
	s.mu.Lock()
	defer s.mu.Unlock()
	if passes {
		s.notAgain = until
	}
	if f.request.Rejected != "" {
		f.until = until
	}
}

// orHeld is the token at hand where err may pass and the token will do; else err.
func (s *slot) orHeld(r api.Request, err error) (api.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := wall()
	if _, passes := passing(err); passes && answers(s.token, r, s.expires.Sub(now)) {
		return s.held(now), nil
	}
	return api.Token{}, err
}

// forget drops the token.
func (s *slot) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token, s.keep, s.expires = api.Token{}, time.Time{}, time.Time{}
}

// passing says whether an error says nothing against the token at hand, and how long to wait.
func passing(err error) (wait time.Duration, ok bool) {
	if e, is := errors.AsType[*api.Error](err); is {
		return e.RetryAfter, e.Code.Status() >= http.StatusInternalServerError
	}
	if e, is := errors.AsType[*GatewayError](err); is {
		return 0, e.passing()
	}
	return 0, true
}

// wall is now without the monotonic clock, which stops while Lambda freezes the process.
func wall() time.Time { return time.Now().Round(0) }
