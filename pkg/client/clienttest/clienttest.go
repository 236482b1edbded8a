// Package clienttest has a fake tokenvend, for the tests of programs that use
// package client.
//
//	fake := &clienttest.Server{}
//	tokens := client.New(fake)         // in memory, also in a synctest bubble
//	server := httptest.NewServer(fake) // or over HTTP, for package signed
package clienttest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
)

// Server is a tokenvend that asks no provider: it vends tokens that it makes
// up. The zero value is ready. It is a
// [github.com/tokenvend/tokenvend/pkg/client.Transport] and an
// [net/http.Handler], and safe for concurrent use. It checks no signature.
type Server struct {
	// Lifetime is how long its tokens live; 0: an hour.
	Lifetime time.Duration

	// Early is how long before a token's end its cache_until is; 0: a fifth of
	// Lifetime.
	Early time.Duration

	// Skew is how far the server's clock is ahead.
	Skew time.Duration

	// Extra and Use are those of its tokens.
	Extra map[string]string
	Use   api.Use

	mu       sync.Mutex
	tokens   map[entry]api.Token
	minted   int
	failure  error
	delay    time.Duration
	requests []api.Request
}

// entry is what a token is kept by.
type entry struct{ credential, scope, audience, account string }

// Fail has every request refused with err, such as an *api.Error or a
// *client.GatewayError; nil: they are answered again.
func (s *Server) Fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = err
}

// Delay has every answer take so long. A request ends sooner with its context.
func (s *Server) Delay(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = d
}

// Requests returns the requests so far.
func (s *Server) Requests() []api.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]api.Request{}, s.requests...)
}

// Send answers a request. It implements client.Transport.
func (s *Server) Send(ctx context.Context, r api.Request) ([]byte, error) {
	s.mu.Lock()
	s.requests = append(s.requests, r)
	delay := s.delay
	s.mu.Unlock()
	if delay > 0 {
		late := time.NewTimer(delay)
		defer late.Stop()
		select {
		case <-late.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("tokenvend: no answer from clienttest: %w", ctx.Err())
		}
	}
	answer, err := s.answer(r)
	if err != nil {
		return nil, err
	}
	return json.Marshal(answer)
}

func (s *Server) answer(r api.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return nil, s.failure
	}
	key := entry{r.Credential, r.Scope, r.Audience, r.Account}
	now := time.Now().Add(s.Skew).UTC()
	switch r.Action {
	case "", api.Vend:
		return s.vend(key, r, now), nil
	case api.Status:
		return s.status(key, r), nil
	case api.Connect, api.Recover, api.Renew, api.Accept:
		delete(s.tokens, key)
		s.vend(key, r, now)
		return s.status(key, r), nil
	case api.Revoke:
		delete(s.tokens, key)
		return api.Forgotten{Revoked: true, MemoryUntil: now}, nil
	case api.List:
		return s.list(), nil
	case api.Accounts:
		return s.accounts(r.Credential), nil
	case api.Authorize:
		page := "https://provider.example/authorize?redirect_uri=" + url.QueryEscape(r.RedirectURI)
		return api.Authorization{URL: page, PKCE: "S256"}, nil
	}
	return nil, &api.Error{Code: api.InvalidRequest, Detail: "action: not one that there is"}
}

// vend returns the token of an entry, another one where that is reported, past
// its cache_until, or too short for min_ttl. s.mu is held.
func (s *Server) vend(key entry, r api.Request, now time.Time) api.Token {
	t, known := s.tokens[key]
	left := t.ExpiresAt.Sub(now)
	if !known || t.Fingerprint == r.Rejected || !now.Before(t.CacheUntil) || left < time.Duration(r.MinTTL) {
		s.minted++
		life := cmp.Or(s.Lifetime, time.Hour)
		t = api.Token{
			AccessToken: fmt.Sprintf("token-%d", s.minted), Fingerprint: fmt.Sprintf("%016x", s.minted),
			TokenType: "Bearer", Scope: r.Scope, Extra: maps.Clone(s.Extra), Use: s.Use,
			ExpiresAt: now.Add(life), CacheUntil: now.Add(life - cmp.Or(s.Early, life/5)),
		}
		if s.tokens == nil {
			s.tokens = map[entry]api.Token{}
		}
		s.tokens[key] = t
	}
	t.ExpiresIn = api.Seconds(t.ExpiresAt.Sub(now))
	return t
}

func (s *Server) status(key entry, r api.Request) api.StatusReport {
	t, known := s.tokens[key]
	report := api.StatusReport{
		Credential: r.Credential, Provider: "fake", Scope: r.Scope, Audience: r.Audience, Account: r.Account,
		State: api.None, Fingerprint: t.Fingerprint, ExpiresAt: t.ExpiresAt, CacheUntil: t.CacheUntil,
	}
	if known {
		report.State = api.Fresh
	}
	if r.Verify && known {
		report.Verified = &api.Verified{Works: true}
	}
	return report
}

func (s *Server) list() api.Page {
	page := api.Page{Credentials: []api.Listed{}}
	listed := map[string]bool{}
	for key := range s.tokens {
		if !listed[key.credential] {
			listed[key.credential] = true
			page.Credentials = append(page.Credentials, api.Listed{Credential: key.credential, Provider: "fake"})
		}
	}
	return page
}

// accounts returns the accounts that have a token.
func (s *Server) accounts(credential string) api.AccountPage {
	page := api.AccountPage{Accounts: []api.StatusReport{}}
	for key := range s.tokens {
		if key.credential == credential && key.account != "" {
			page.Accounts = append(page.Accounts, s.status(key, api.Request{
				Credential: credential, Scope: key.scope, Audience: key.audience, Account: key.account,
			}))
		}
	}
	return page
}
