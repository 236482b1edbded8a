// Package attempt obtains a token under a lease: client authentication,
// exchange, outcome, commit. A failure is committed like a token, so that all
// that wait learn of it at once and no request is sent again before its time.
package attempt

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/leases"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/quota/counter"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/recovery"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/variants"
)

// Run obtains a new token under a lease, or commits why it could not:
// either way all that wait learn of it.
func (t *Attempts) Run(
	ctx context.Context, lease store.Lease, s records.Snapshot, r Request,
) (records.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, leases.Timeout)
	defer cancel()
	a := &attempt{Attempts: t, lease: lease, before: s, ignoreBackoff: r.IgnoreBackoff, began: time.Now()}
	a.request(ctx)
	if a.heldBack {
		_ = leases.Release(ctx, t.Records.Store, lease) // it ends by itself
		a.countRequests(ctx)
		return t.Records.Reload(ctx, records.NewSnapshot(a.record, s.Row))
	}
	next := s.Row.With(lease.Entry)
	next.Stamp(s.Record.Row)
	next.Queue(a.record.Row)
	now := clock.Now()
	if !r.Proactive {
		variants.Claim(&next.Entry, s.Record.Terms, r.Caller, now)
		next.AskedAt = now
	}
	if r.Reported {
		schedule.Forced(&next.Entry, now)
	}
	after, err := a.conclude(ctx, &next)
	if a.grant != "" {
		t.Hosts.Report(ctx, s, a.record, a.failed)
	}
	return after, err
}

// conclude commits the outcome of an attempt. What the provider has returned
// and cannot be stored leaves a trace.
func (a *attempt) conclude(ctx context.Context, next *row.Row) (records.Snapshot, error) {
	if a.failed == nil {
		a.succeed(ctx, next)
	}
	if a.failed != nil {
		a.fail(ctx, next)
	}
	err := leases.Commit(ctx, a.Records.Store, a.lease, next.Entry)
	if err != nil && a.before.Granted() && !a.response.Refresh.IsZero() {
		isNew := a.grant == descriptor.AuthorizationCode
		recovery.Recovery{Records: a.Records, Journal: a.Journal}.Keep(ctx, a.lease.Entry, next, isNew, err)
	}
	a.log(ctx, next.Entry, err)
	switch {
	case errors.Is(err, store.ErrLeaseLost):
		return a.Records.Reload(ctx, a.before)
	case err != nil:
		return a.before, failure.StoreUnavailable(err)
	}
	if a.failed == nil {
		a.Verifier.Replaced(a.before, a.record, next, a.grant)
	}
	return records.NewSnapshot(a.record, a.Records.Committed(a.lease, next, records.Provider)), nil
}

// countRequests counts the token requests of the attempt where a quota is
// stated, and returns what is used of it; nil: none is stated, or the store did
// not count. It is called after the lease has ended.
func (a *attempt) countRequests(ctx context.Context) *quota.Use {
	used, err := counter.Add(ctx, a.Records.Store, a.record.Terms, a.requests)
	if err != nil {
		a.Journal.Failure(ctx, "quota", a.lease.Entry.Key.Credential, err)
	}
	return used
}

// log counts the attempt's requests and writes its line; err is the error of
// the commit.
func (a *attempt) log(ctx context.Context, e store.Entry, err error) {
	line := journal.Mint{
		Credential: e.Key.Credential, Variant: e.Key.SortKey(), Provider: a.record.Provider(), Grant: string(a.grant),
		Generation: e.Generation, Attempt: a.lease.Attempt, NextAt: e.NextAt, Took: time.Since(a.began),
	}
	line.Quota = a.countRequests(ctx)
	ending := schedule.GrantEnding(a.lease.Entry.RefreshUntil, e.RefreshUntil, clock.Now())
	if a.record.Terms.Granted(e.Key.Variant) && ending {
		line.GrantUntil = e.RefreshUntil
	}
	switch {
	case a.failed != nil:
		line.Code, line.Detail, line.NextAt = string(a.failed.Code), a.failed.Detail, e.Failure.RetryAt
		// operators are told once, and not of each attempt that fails alike
		line.ForGood = a.failed.Permanent && a.lease.Entry.Failure.Code != line.Code
		line.Cause = journal.Cause(a.failed.Err)
	case err != nil:
		line.Code, line.Detail = string(api.StoreUnavailable), "the token could not be stored: "+err.Error()
		line.Cause = journal.Cause(err)
	default:
		line.Fingerprint, line.ExpiresAt = e.Fingerprint, e.ExpiresAt
		line.NotGranted = a.newlyNotGranted(e)
		line.Warning = a.warnings()
	}
	a.Journal.Mint(ctx, line)
}

// newlyNotGranted returns the scopes that were requested and not granted, if
// the token before did not lack the same. Nobody reads a warning at every
// renewal.
func (a *attempt) newlyNotGranted(e store.Entry) string {
	requested, _ := a.record.Terms.ScopeAndAudience(e.Key.Variant)
	missing := grant.NotGranted(requested, e.Scope)
	before := a.lease.Entry
	if before.Fingerprint != "" && missing == grant.NotGranted(requested, before.Scope) {
		return ""
	}
	return missing
}
