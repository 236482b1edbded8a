package attempt

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// bearer is the only token type that is vended. A response of another type has
// no usable token.
const bearer = "Bearer"

// succeed writes the response's token into next. A token that has expired
// already is a failure.
func (a *attempt) succeed(ctx context.Context, next *row.Row) {
	before, now := *next, clock.Now()
	fingerprint := token.Fingerprint(a.response.Access)
	next.ObtainedFor(a.record.Row)
	same := fingerprint == before.Fingerprint && before.Digests.Same(next.Digests) &&
		a.grant != descriptor.AuthorizationCode
	if !same {
		next.Generation = a.Records.NextGeneration(next.Entry)
	}
	a.keepRefresh(next)
	rules := a.record.Rules(next)
	rules.GrantUntil = next.RefreshUntil
	times := schedule.Token(a.response, rules, schedule.Jitter{
		Key: next.Key, Generation: next.Generation, First: before.Fingerprint == "",
	})
	if !times.Expires.After(now) {
		*next = before
		a.failed = &failure.Cause{Code: api.ProviderMalformed, Detail: "the token was over when it came"}
		return
	}
	next.State, next.RefreshSpent = store.Live, false
	next.Type, next.Scope, next.Fingerprint = bearer, a.response.Scope, fingerprint
	next.Warnings = a.warnings()
	next.IssuedWithin = schedule.IssuedWithin(a.response, a.answered)
	schedule.Obtained{
		Times: times, Same: same, Warm: a.record.IsWarm(next.Key), Period: a.Period,
		Granted: a.record.Terms.Granted(next.Key.Variant), Refreshing: !next.Refresh.IsZero(),
	}.Apply(&next.Entry, now)
	next.SetToken(a.response.Access, a.extra(&before, next))
	if err := a.Records.Seal(ctx, next); err != nil {
		*next = before
		a.failed = failure.Of(err)
		return
	}
	a.clearSharedFailure(ctx)
}

// keepRefresh keeps the refresh token of a response. If a refresh returned
// none, the old one stays.
func (a *attempt) keepRefresh(next *row.Row) {
	sent := a.refresh.outcome
	refreshed := a.grant == descriptor.RefreshToken
	if a.refresh.seed && (refreshed || sent == grant.Over || sent == grant.Lost) {
		next.Seed = token.Fingerprint(a.refresh.token)
	}
	switch {
	case !a.response.Refresh.IsZero():
		next.Refresh, next.RefreshUntil = a.response.Refresh, schedule.RefreshEnd(a.response)
	case refreshed:
		next.Refresh = a.refresh.token
	default:
		next.Refresh, next.RefreshUntil = redact.String{}, time.Time{}
	}
}

// fail writes the failure into next, which keeps its token. It keeps a refresh
// token that came with the failure, because the old one may be invalid by now.
func (a *attempt) fail(ctx context.Context, next *row.Row) {
	now, connected := clock.Now(), a.record.Terms.Connected(next.Key.Variant)
	if next.State == store.Reauthorize && connected && a.failed.Code != api.ReauthorizationRequired {
		a.failed = failure.GrantEnded("the grant is over, and another attempt failed: " + a.failed.Detail)
	}
	next.Failure = a.failed.After(next.Entry, a.record.Terms.Version, now)
	a.shareFailure(ctx, next.Failure)
	var client store.Failure
	if a.failed.Client {
		client = a.record.Failure
	}
	schedule.RetryAfter(&next.Entry, client, a.failed.HeldUntil, a.record.IsWarm(next.Key), now)
	if len(next.Sealed) == 0 { // a row that was deleted, and is written anew
		next.Generation = max(next.Generation, a.Records.SeenGeneration(next.Key))
	}
	before := *next
	reseal := a.keepAfterFailure(next)
	schedule.SetForgetAt(&next.Entry, now)
	// The sealed part is bound to the state.
	restate := next.State != before.State && len(next.Sealed) > 0 && !next.Broken && !next.Outdated
	if !reseal && !restate {
		return
	}
	if err := a.Records.Seal(ctx, next); err != nil {
		next.RestoreSealed(&before)
		if reseal {
			a.Journal.Event(ctx, slog.LevelError, "refresh token lost", next.Key.Credential, "it could not be sealed")
		}
	}
}

// keepAfterFailure keeps what a failed attempt leaves of a grant. reseal: the
// sealed part has changed.
func (a *attempt) keepAfterFailure(next *row.Row) (reseal bool) {
	reseal = a.refresh.keep(next, a.record.Terms.Granted(next.Key.Variant))
	switch {
	case !a.response.Refresh.IsZero():
		obtained := row.Row{Entry: next.Entry}
		obtained.ObtainedFor(a.record.Row)
		if end := schedule.RefreshEnd(a.response); a.grant == descriptor.AuthorizationCode {
			next.ReplaceGrant(a.response.Refresh, end, obtained, a.response.Extra)
		} else {
			next.KeepGrant(a.response.Refresh, end, obtained)
		}
		return true
	case a.failed.Code == api.ReauthorizationRequired:
		next.State = store.Reauthorize
		schedule.NoRetry(&next.Entry)
	}
	return reseal
}

// shareFailure writes what concerns the client as a whole into the credential
// record: its failure, or the pause that the provider asked for.
func (a *attempt) shareFailure(ctx context.Context, met store.Failure) {
	if !a.failed.Client && !a.failed.Limited {
		return
	}
	version := a.record.Terms.Version
	a.record = a.Records.ChangeRecord(ctx, a.record, func(e *store.Entry) {
		if a.failed.Limited {
			e.CooldownUntil = clock.Later(e.CooldownUntil, schedule.Pause(met, !a.failed.Until.IsZero(), clock.Now()))
			return
		}
		e.Failure = a.failed.After(*e, version, clock.Now())
	})
}

// clearSharedFailure drops the shared failure after a success, and notes a
// pause that came with it.
func (a *attempt) clearSharedFailure(ctx context.Context) {
	until := schedule.Cooldown(a.response.Limit.RetryAt, clock.Now())
	if a.record.Failure.IsZero() && !until.After(a.record.CooldownUntil) {
		return
	}
	a.record = a.Records.ChangeRecord(ctx, a.record, func(e *store.Entry) {
		e.Failure = store.Failure{}
		e.CooldownUntil = clock.Later(e.CooldownUntil, until)
	})
}

// warnings returns what was odd about the response with the token.
func (a *attempt) warnings() string { return strings.Join(a.response.Warnings, "; ") }
