package vend

import (
	"context"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/attempt"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// authorize returns where a person grants access.
func (s *Service) authorize(ctx context.Context, c *call) (any, error) {
	page, err := operate.New(s.Mint).Authorization(ctx, c.key, c.Request.RedirectURI)
	if err != nil {
		return nil, err
	}
	return api.Authorization{URL: s.browserURL(page.URL), PKCE: page.Challenge, Destination: page.Destination}, nil
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
	code := attempt.Code{
		Code: redact.New(r.Code), Verifier: redact.New(r.CodeVerifier),
		RedirectURI: r.RedirectURI, Destination: r.Destination,
	}
	if err := operate.New(s.Mint).Connect(ctx, c.key, code); err != nil {
		return nil, err
	}
	return s.status(ctx, c)
}

// recover puts back a refresh token that could not be stored.
func (s *Service) recover(ctx context.Context, c *call) (any, error) {
	recovered, err := operate.New(s.Mint).Recover(ctx, c.key.Credential, c.Request.Recovery)
	if err != nil {
		return nil, err
	}
	c.key = recovered
	c.line.Variant = recovered.Sort()
	return s.status(ctx, c)
}

// accept lets the grants of a credential go on at a changed destination.
func (s *Service) accept(ctx context.Context, c *call) (any, error) {
	if err := operate.New(s.Mint).Accept(ctx, c.key.Credential, c.Request.Accept); err != nil {
		return nil, err
	}
	return s.status(ctx, c)
}

// renew replaces a token though a back-off forbids it.
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

// defaultPage and maxPage bound a page of the list.
const (
	defaultPage = 100
	maxPage     = 1000
)

// list returns the credentials that the caller may have. The name to go on
// after is one of those, and there is another page only if one more follows:
// neither tells that a credential exists that is not for the caller.
func (s *Service) list(ctx context.Context, c *call) (any, error) {
	limit := c.Request.Limit
	if limit == 0 {
		limit = defaultPage
	}
	if limit < 0 || limit > maxPage {
		return nil, invalid(fmt.Sprintf("limit: expected a number from 1 to %d", maxPage))
	}
	page := api.Page{Credentials: []api.Listed{}}
	for after := c.Request.After; ; {
		all, next, err := operate.New(s.Mint).List(ctx, after, max(limit+1, defaultPage))
		if err != nil {
			return nil, err
		}
		for _, t := range all {
			switch {
			case !t.Admits(c.Caller):
			case len(page.Credentials) == limit:
				page.Next = page.Credentials[limit-1].Credential
				return page, nil
			default:
				page.Credentials = append(page.Credentials, listed(t))
			}
		}
		if after = next; after == "" {
			return page, nil
		}
	}
}

func listed(t credential.Terms) api.Listed {
	l := api.Listed{Credential: t.Name, Provider: t.Provider}
	if l.Provider == "" && t.Descriptor != nil {
		l.Provider = t.Descriptor.Name
	}
	return l
}
