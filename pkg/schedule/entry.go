package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// RowLifetime is how long a row is kept after all that it holds has expired.
const RowLifetime = 30 * 24 * time.Hour

// forgetAt returns when a row may be deleted: long after its token and its
// refresh token have expired.
func forgetAt(e store.Entry, now time.Time) time.Time {
	return clock.Later(clock.Later(e.ExpiresAt, e.RefreshUntil), now).Add(RowLifetime)
}

// SetForgetAt sets when the row may be deleted.
func SetForgetAt(e *store.Entry, now time.Time) { e.ForgetAt = forgetAt(*e, now) }

// KeepForOperator keeps a row until it is written again: what it holds waits
// for an operator, however long that takes.
func KeepForOperator(e *store.Entry) { e.ForgetAt = time.Time{} }

// Due makes an entry due at a time.
func Due(e *store.Entry, at time.Time) {
	before := e.AlarmAt
	e.NextAt = at
	e.ForgetAt = forgetAt(*e, at)
	setAlarm(e)
	if !before.IsZero() {
		e.AlarmAt = clock.Earlier(e.AlarmAt, before)
	}
}

// Planned returns when an entry is due that has not failed: at its renewal
// time, or now if that has passed.
func Planned(e store.Entry, now time.Time) time.Time { return clock.Later(now, e.RenewAt) }

// Postponed returns when an entry is due that may not be tried now; zero: it
// may. failed is its failure or that of its credential, and outage the end of
// an outage that holds it back.
func Postponed(record, e store.Entry, failed store.Failure, outage time.Time) time.Time {
	until := clock.Later(clock.Later(record.CooldownUntil, failed.RetryAt), e.HoldUntil)
	return clock.Later(until, outage)
}

// Retire makes an entry never due.
func Retire(e *store.Entry) { e.NextAt, e.AlarmAt = time.Time{}, time.Time{} }

// Obtained is a new token, as far as the times of its entry depend on it.
type Obtained struct {
	Times      Times
	Same       bool          // the provider returned the entry's token again
	Warm       bool          // the entry is renewed without requests
	Granted    bool          // a grant that must be kept alive brought it
	Refreshing bool          // there is a refresh token for the next one
	Period     time.Duration // of rotate's passes: vend renews a token of a shorter life
}

// Apply sets the times of an entry, which still has those of the token before.
func (o Obtained) Apply(e *store.Entry, now time.Time) {
	old, t := *e, o.Times
	e.Failure, e.HoldUntil = store.Failure{}, time.Time{}
	e.IssuedAt, e.ExpiresAt, e.CacheUntil, e.LifetimeFrom = t.Issued, t.Expires, t.CacheUntil, t.From
	e.RenewAt, e.NextAt = t.Renew, t.Renew
	if old.ExpiresAt.After(now) && (o.Same || sameTime(old.ExpiresAt, t.Expires)) {
		hold(e, old, t, now)
	}
	tooShort := t.Life() < o.Period
	switch {
	case o.Granted && !o.Refreshing:
		e.NextAt, e.RefreshUntil = time.Time{}, t.Expires // the grant ends with its token
	case o.Granted && tooShort:
		e.NextAt = keepAlive(t.Issued, e.RefreshUntil)
	case tooShort && !o.Warm:
		e.NextAt = time.Time{} // vend renews it
	}
	setAlarm(e)
	e.ForgetAt = forgetAt(*e, now)
}

// sameTime reports whether two times are equal within a clock's seconds.
func sameTime(a, b time.Time) bool { return a.Sub(b).Abs() < 2*time.Second }

// hold is for a provider that returned the same token, or one that expires with
// the one before. The token counts from when the one before was issued, and the
// next is requested only when it is about to expire.
func hold(e *store.Entry, old store.Entry, t Times, now time.Time) {
	if t.Expires.Sub(old.ExpiresAt) > 2*time.Second {
		return // the same token, with a longer life
	}
	t.Issued = old.IssuedAt
	e.IssuedAt = old.IssuedAt
	e.HoldUntil = holdUntil(t, now)
	e.NextAt, e.RenewAt, e.CacheUntil = e.HoldUntil, e.HoldUntil, clock.Later(now, e.HoldUntil)
}

// holdUntil returns when such a provider is asked again: once when the token is
// about to expire, then not before its expiry.
func holdUntil(t Times, now time.Time) time.Time {
	nearly := t.Expires.Add(-min(revokesLead, t.Life()/20))
	if now.Before(nearly) {
		return nearly
	}
	return t.Expires
}

// RetryAfter sets when an entry is tried again whose Failure was just set. The
// failure of the whole client, if any, and the time until which a refresh token
// is held count too. warm: the entry is renewed without requests.
func RetryAfter(e *store.Entry, client store.Failure, held time.Time, warm bool, now time.Time) {
	e.Failure.RetryAt = clock.Later(e.Failure.RetryAt, clock.Earlier(held, now.Add(maxCooldown)))
	e.Failure.RetryAt = clock.Later(e.Failure.RetryAt, client.RetryAt)
	if !e.NextAt.IsZero() || warm {
		e.NextAt = e.Failure.RetryAt
	}
	setAlarmAfterFailure(e, now)
}

// NoRetry ends the attempts of an entry whose grant has ended.
func NoRetry(e *store.Entry) {
	Retire(e)
	e.Failure.RetryAt = time.Time{}
}

// RetryRevocation makes an entry due that could not be revoked at its provider,
// as its Failure says.
func RetryRevocation(e *store.Entry, now time.Time) {
	e.NextAt, e.AlarmAt = e.Failure.RetryAt, time.Time{}
	e.ForgetAt = forgetAt(*e, now)
}

// RestoreSealed gives an entry the times of another one that the sealed part of
// that one is bound to. Its times to come stay.
func RestoreSealed(e *store.Entry, from store.Entry) {
	e.IssuedAt, e.ExpiresAt, e.CacheUntil = from.IssuedAt, from.ExpiresAt, from.CacheUntil
	e.RenewAt, e.RefreshUntil = from.RenewAt, from.RefreshUntil
}
