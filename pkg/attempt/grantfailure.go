package attempt

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// grantFailure returns the cause to report if a grant has obtained no token,
// and when it is tried again.
func (a *attempt) grantFailure(ctx context.Context, s records.Snapshot) *failure.Cause {
	r := &a.refresh
	if r.expired {
		r.outcome = grant.Expired
	}
	switch {
	case r.token.IsZero():
		return failure.GrantEnded(s.MissingRefresh())
	case r.held:
		return &failure.Cause{
			Code: api.ProviderUnavailable, HeldUntil: s.HeldUntil(),
			Detail: "the last answer to the refresh token was lost or could not be read; " +
				"it is sent again when the access token is over",
		}
	case r.outcome == "" || a.failed == nil && !r.expired:
		return a.failed
	}
	failed, now := a.failed, clock.Now()
	if failed != nil && s.Row.Generation > 0 {
		failed = failed.OfWorkingGrant()
	}
	switch grant.Decide(r.outcome, r.reuse, grant.AccessOf(s.HasToken(now))).Next {
	case grant.OnRequest:
		return a.endedUnlessReplaced(ctx, failed)
	case grant.AfterEnd:
		failed.HeldUntil = s.HeldUntil()
	case grant.Halfway:
		failed.HeldUntil = s.Rules.AfterTooEarly(s.Row.Token.ExpiresAt, failed.Until, now)
	}
	return failed
}

// endedUnlessReplaced returns the end of a grant, once a strong read shows that
// its refresh token is still the stored one. A process that lost a race to
// another holder of the lease gets the same refusal from the provider.
func (a *attempt) endedUnlessReplaced(ctx context.Context, failed *failure.Cause) *failure.Cause {
	r := &a.refresh
	if r.outcome == grant.Expired {
		return failure.GrantEnded("the refresh token's own end has come: connect the account again")
	}
	seen := a.lease.Entry
	entries, err := a.Records.Store.Get(ctx, store.Strong, seen.Key)
	switch {
	case err != nil:
		r.outcome = grant.Unrelated
		return &failure.Cause{
			Code: api.StoreUnavailable, Answered: true,
			Detail: "the provider refused the refresh token, and the store could not show whether it is the current " +
				"one",
		}
	case entries[0].Revision != seen.Revision, !entries[0].LeasedUntil.Equal(seen.LeasedUntil):
		r.outcome = grant.Unrelated
		return &failure.Cause{
			Code: api.ProviderUnavailable, Answered: true,
			Detail: "another process has renewed the grant meanwhile",
		}
	}
	ended := failure.GrantEnded("the provider refuses the refresh token: " + failed.Detail)
	ended.Answered = true
	return ended
}
