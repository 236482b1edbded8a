package vend

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// handlers answer the operations, by their actions. A handler is called once
// the caller is permitted to call its operation.
var handlers = map[string]func(*Service, context.Context, *call) (any, error){
	api.Vend:      (*Service).vend,
	api.Status:    (*Service).status,
	api.Revoke:    (*Service).revoke,
	api.List:      (*Service).list,
	api.Accounts:  (*Service).accounts,
	api.Authorize: (*Service).authorize,
	api.Connect:   (*Service).connect,
	api.Recover:   (*Service).recover,
	api.Accept:    (*Service).accept,
	api.Renew:     (*Service).renew,
}

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
	return vended(got, time.Now()), nil
}

// vended returns a token as callers see it at the time now.
func vended(got mint.Result, now time.Time) api.Token {
	t, until := got.Token, got.Token.CacheUntil
	if until.Before(now) {
		until = now.UTC().Truncate(time.Millisecond)
	}
	return api.Token{
		AccessToken: t.Access.Reveal(), TokenType: t.Type,
		ExpiresIn: api.Seconds(t.Left(now)), ExpiresAt: t.ExpiresAt, CacheUntil: until,
		Scope: t.Scope, Fingerprint: t.Fingerprint, Extra: t.Extra.Reveal(), Use: use(got.Use),
	}
}

// use returns how an API expects a token, with the names written out; the zero
// value is "Authorization: Bearer TOKEN".
func use(u descriptor.Use) api.Use {
	if u == (descriptor.Use{}) || u.Query != "" {
		return api.Use{Query: u.Query}
	}
	return api.Use{Header: cmp.Or(u.Header, "Authorization"), Prefix: u.Prefix}
}

// status reports on an entry. With verify, the provider is asked whether it
// takes the token.
func (s *Service) status(ctx context.Context, c *call) (any, error) {
	found, err := operate.New(s.Mint).Status(ctx, c.key)
	if err != nil {
		return nil, err
	}
	var verified *api.Verified
	if c.Request.Verify {
		if verified, err = operate.New(s.Mint).Verify(ctx, c.key); err != nil {
			return nil, err
		}
	}
	return reportOf(c, c.key, found, verified), nil
}

// authorize returns the authorization URL at which a user grants access.
func (s *Service) authorize(ctx context.Context, c *call) (any, error) {
	page, err := operate.New(s.Mint).Authorization(ctx, c.key, c.Request.RedirectURI)
	if err != nil {
		return nil, err
	}
	return api.Authorization{
		URL: s.browserURL(page.URL), PKCE: page.Challenge, Destination: page.Destination,
		CodeParameter: page.CodeParameter, ResponseParameters: page.Extra,
	}, nil
}

// browserURL returns where a browser finds an authorize page.
func (s *Service) browserURL(page string) string {
	if s.Browse == nil {
		return page
	}
	return s.Browse(page)
}

// connect exchanges an authorization code, and keeps the grant.
func (s *Service) connect(ctx context.Context, c *call) (any, error) {
	r := c.Request
	response, _ := url.ParseQuery(r.AuthorizationResponse) // it was checked
	code := attempt.Code{
		Code: redact.New(r.Code), Verifier: redact.New(r.CodeVerifier),
		RedirectURI: r.RedirectURI, Destination: r.Destination, Response: response,
	}
	if err := operate.New(s.Mint).Connect(ctx, c.key, code); err != nil {
		return nil, err
	}
	return s.status(ctx, c)
}

// recover restores a refresh token that could not be stored.
func (s *Service) recover(ctx context.Context, c *call) (any, error) {
	recovered, err := operate.New(s.Mint).Recover(ctx, c.key.Credential, c.Request.Recovery)
	if err != nil {
		return nil, err
	}
	c.key = recovered
	c.line.Variant = recovered.SortKey()
	return s.status(ctx, c)
}

// accept lets the grants of a credential go on at a changed destination.
func (s *Service) accept(ctx context.Context, c *call) (any, error) {
	if err := operate.New(s.Mint).Accept(ctx, c.key.Credential, c.Request.Accept); err != nil {
		return nil, err
	}
	return s.status(ctx, c)
}

// renew replaces a token at once, in spite of a back-off.
func (s *Service) renew(ctx context.Context, c *call) (any, error) {
	if err := operate.New(s.Mint).Replace(ctx, c.key); err != nil {
		return nil, err
	}
	return s.status(ctx, c)
}

// revoke revokes a token at the provider and forgets it.
func (s *Service) revoke(ctx context.Context, c *call) (any, error) {
	revoked, until, err := operate.New(s.Mint).Revoke(ctx, c.key)
	if err != nil {
		return nil, err
	}
	return api.Forgotten{Revoked: revoked, MemoryUntil: until}, nil
}
