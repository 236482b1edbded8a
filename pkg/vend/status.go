package vend

import (
	"cmp"
	"context"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/operate"
)

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
	e := found.Entry
	scope, audience := found.Terms.Asks(c.key.Variant)
	report := api.StatusReport{
		Credential: c.key.Credential, Provider: found.Provider, Version: found.Terms.Version,
		Scope: cmp.Or(e.Scope, scope), Audience: audience, Account: c.key.Variant.Account,
		State: found.State, Stale: found.Stale, Generation: e.Generation, Fingerprint: e.Fingerprint,
		IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt, CacheUntil: e.CacheUntil, NextAt: e.NextAt, AskedAt: e.AskedAt,
		LifetimeFrom: e.LifetimeFrom, GrantUntil: e.RefreshUntil, Verified: verified, Warning: found.Warning,
	}
	if e.Warnings != "" {
		report.Warnings = strings.Split(e.Warnings, "; ")
	}
	if f := found.Failure; !f.IsZero() {
		report.Failure = &api.Failure{
			Code: api.Code(f.Code), Detail: f.Detail, Since: f.Since, Count: f.Count, RetryAt: f.RetryAt,
		}
	}
	if c.Caller.MayAdminister() {
		report.Destination = found.Destination
		for _, change := range found.Changes {
			report.Changes = append(report.Changes, api.Change{Part: change.Name, Old: change.Old, New: change.New})
		}
	}
	return report, nil
}
