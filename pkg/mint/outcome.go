package mint

import (
	"context"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// succeed puts the answer's token into next. A token that is over already is a failure after all.
func (m *Mint) succeed(ctx context.Context, next *row, out *outcome) {
	before, old, e := *next, next.entry, &next.entry
	now := wall()
	fingerprint := token.Fingerprint(out.answer.Access)
	next.obtained(out.own.row)
	same := fingerprint == old.Fingerprint && before.digests == next.digests && out.grant != descriptor.AuthorizationCode
	if !same {
		e.Generation = m.nextGeneration(*e)
	}
	keepRefresh(next, out)
	r := rulesOf(out.own.row, next.renewedBy())
	r.grantUntil = e.RefreshUntil
	t := planToken(out.answer, r, e.Key, e.Generation, old.Fingerprint == "")
	if !t.expires.After(now) {
		*next = before
		out.failed = &fault{code: api.ProviderMalformed, detail: "the token was over when it came"}
		return
	}
	e.State, e.Failure, e.RefreshSpent, e.HoldUntil = store.Live, store.Failure{}, false, time.Time{}
	e.Type, e.Scope, e.Fingerprint, e.LifetimeFrom = bearer, out.answer.Scope, fingerprint, t.from
	e.IssuedAt, e.ExpiresAt, e.CacheUntil, e.RenewAt, e.NextAt = t.issued, t.expires, t.cacheUntil, t.renew, t.renew
	if old.ExpiresAt.After(now) && (same || sameEnd(old.ExpiresAt, t.expires)) {
		hold(e, old, t, now)
	}
	if t.life() < m.Every && !isWarm(out.own.terms, e.Key) {
		e.NextAt = time.Time{} // too short-lived for the schedule: vend renews it
	}
	next.issuedWithin = issuedWithin(out.answer, out.answered)
	if out.own.terms.Granted(e.Key.Variant) {
		e.NextAt = grantNextAt(next, t, m.Every)
		if next.refresh.IsZero() {
			e.RefreshUntil = t.expires // the grant ends with its token
		}
	}
	e.ForgetAt = forgetAt(*e, now)
	if err := m.closeToken(ctx, next, out.answer.Access); err != nil {
		*next = before
		out.failed = faultOf(err)
		return
	}
	next.token = tokenOf(*e, out.answer.Access)
	out.own = m.clear(ctx, out.own, out.answer.Limit)
}

// grantNextAt is when a grant is used next: with the token, and where that is too short-lived for the schedule, in time to keep the grant alive.
func grantNextAt(next *row, t times, every time.Duration) time.Time {
	switch {
	case next.refresh.IsZero():
		return time.Time{} // nothing is left to renew it with
	case t.life() < every:
		return keepAlive(t.issued, next.entry.RefreshUntil)
	}
	return next.entry.NextAt
}

// bearer is the only type that is ever vended: an answer of another is no usable token.
const bearer = "Bearer"

// sameEnd says whether two ends are one, as far as a clock's seconds tell.
func sameEnd(a, b time.Time) bool { return a.Sub(b).Abs() < 2*time.Second }

// hold is for a provider that handed out the same token again, or one that ends when the old one does: it began when the old one did, and is asked for again only once it is nearly over.
func hold(e *store.Entry, old store.Entry, t times, now time.Time) {
	if t.expires.Sub(old.ExpiresAt) > 2*time.Second {
		return // the same token, but it lives longer now
	}
	t.issued = old.IssuedAt
	e.IssuedAt = old.IssuedAt
	e.HoldUntil = holdUntil(t, now)
	e.NextAt, e.RenewAt, e.CacheUntil = e.HoldUntil, e.HoldUntil, later(now, e.HoldUntil)
}

// keepRefresh keeps the refresh token of an answer; where a refresh brought none, the old one stays.
func keepRefresh(next *row, out *outcome) {
	sent := out.refresh.outcome
	if out.refresh.seed && (out.grant == descriptor.RefreshToken || sent == grant.Over || sent == grant.Lost) {
		next.seed = token.Fingerprint(out.refresh.token)
	}
	switch {
	case !out.answer.Refresh.IsZero():
		next.refresh, next.entry.RefreshUntil = out.answer.Refresh, refreshEnd(out.answer)
	case out.grant == descriptor.RefreshToken:
		next.refresh = out.refresh.token
	default:
		next.refresh, next.entry.RefreshUntil = redact.String{}, time.Time{}
	}
}

// obtained notes for what a token of the entry was obtained: what the
// credential's record says now.
func (r *row) obtained(own *row) {
	variant := r.entry.Key.Variant
	r.entry.RequestDigest = own.terms.LegacyDigest(variant) // for a row of the first format
	r.digests = digests{destination: own.digests.destination, request: own.terms.RequestDigest(variant)}
}

// keepGrant keeps a refresh token that came without a usable access token, and
// was obtained as another row says. An access token that was obtained otherwise
// goes: both cannot stand under the same digests.
func (r *row) keepGrant(refresh redact.String, until time.Time, obtained row) {
	e := &r.entry
	r.refresh, e.RefreshUntil, e.RefreshSpent = refresh, until, false
	if r.digests != obtained.digests || e.RequestDigest != "" && e.RequestDigest != obtained.entry.RequestDigest {
		r.token, e.Fingerprint, e.ExpiresAt = token.Token{}, "", time.Time{}
	}
	r.digests, e.RequestDigest = obtained.digests, obtained.entry.RequestDigest
}

// fail puts the failure into next, which keeps its token. A refresh token that came with the failure is kept too: the old one may be worth nothing any more.
func (m *Mint) fail(ctx context.Context, next *row, out *outcome) {
	e := &next.entry
	now := wall()
	if e.State == store.Reauthorize && out.own.terms.Connected(e.Key.Variant) && out.failed.code != api.ReauthorizationRequired {
		out.failed = grantIsOver("the grant is over, and another attempt failed: " + out.failed.detail)
	}
	e.Failure = out.failed.after(e.Failure, e.Key, e.Generation, out.own.terms.Version, now)
	if out.failed.client || out.failed.limited {
		out.own = m.share(ctx, out.own, out.failed, e.Failure)
	}
	e.Failure.RetryAt = later(e.Failure.RetryAt, earlier(out.failed.hold, now.Add(longestCooldown)))
	if e.Failure.RetryAt.Before(out.own.entry.Failure.RetryAt) && out.failed.client {
		e.Failure.RetryAt = out.own.entry.Failure.RetryAt
	}
	if !e.NextAt.IsZero() || isWarm(out.own.terms, e.Key) {
		e.NextAt = e.Failure.RetryAt
	}
	reseal := out.refresh.keep(next, out.own.terms.Granted(e.Key.Variant))
	if len(e.Sealed) == 0 {
		e.Generation = max(e.Generation, m.memory.seen.Highest(e.Key)) // of a row that was deleted, and is written anew
	}
	before := e.State
	switch {
	case !out.answer.Refresh.IsZero():
		obtained := row{entry: *e}
		obtained.obtained(out.own.row)
		next.keepGrant(out.answer.Refresh, refreshEnd(out.answer), obtained)
		reseal = true
	case out.failed.code == api.ReauthorizationRequired:
		e.State, e.NextAt, e.Failure.RetryAt = store.Reauthorize, time.Time{}, time.Time{} // no more attempts
	}
	e.ForgetAt = forgetAt(*e, now)
	restate := e.State != before && len(e.Sealed) > 0 && !next.broken && !next.outdated // the state is bound to what is sealed
	if !reseal && !restate {
		return
	}
	if err := m.closeToken(ctx, next, next.token.Access); err != nil {
		e.State = before
		if reseal {
			m.Journal.Event(ctx, slog.LevelError, "refresh token lost", e.Key.Credential, "it could not be sealed")
		}
	}
}
