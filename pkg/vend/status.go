package vend

import (
	"cmp"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// reportOf returns the status of an entry as callers see it.
func reportOf(c *call, key token.Key, found operate.Status, verified *api.Verified) api.StatusReport {
	e := found.Entry
	scope, audience := found.Terms.ScopeAndAudience(key.Variant)
	report := api.StatusReport{
		Credential: key.Credential, Provider: found.Provider, Version: found.Terms.Version,
		Scope: cmp.Or(e.Scope, scope), Audience: audience, Account: key.Variant.Account,
		State: found.State, Stale: found.Stale, Generation: e.Generation, Fingerprint: e.Fingerprint,
		IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt, CacheUntil: e.CacheUntil, NextAt: e.NextAt, AskedAt: e.AskedAt,
		LifetimeFrom: e.LifetimeFrom, GrantUntil: e.RefreshUntil, Verified: verified, Warning: found.Warning,
		Quota: found.Quota,
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
	return report
}
