package vend

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// vend returns a token.
func (s *Service) vend(ctx context.Context, c *call) (any, error) {
	got, err := s.Mint.Token(ctx, c.key, mint.Want{
		Caller: c.Caller, Trusted: s.isOperator(c.Caller),
		Life: time.Duration(c.Request.MinTTL), Rejected: c.Request.Rejected,
	})
	if err != nil {
		return nil, err
	}
	c.line.Fingerprint, c.line.Source, c.line.Stale = got.Token.Fingerprint, string(got.Origin), got.Stale
	return vended(got.Token, time.Now()), nil
}

// vended returns a token as callers see it at the time now.
func vended(t token.Token, now time.Time) api.Token {
	until := t.CacheUntil
	if until.Before(now) {
		until = now.UTC().Truncate(time.Millisecond)
	}
	return api.Token{
		AccessToken: t.Access.Reveal(), TokenType: t.Type,
		ExpiresIn: api.Seconds(t.Left(now)), ExpiresAt: t.ExpiresAt, CacheUntil: until,
		Scope: t.Scope, Fingerprint: t.Fingerprint,
	}
}
