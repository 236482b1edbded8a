package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// keepAliveAfter is how often a grant is used whose refresh token has no known
// expiry: some expire when they are not used.
const keepAliveAfter = 24 * time.Hour

// keepAlive returns when a grant is used at the latest, so that its refresh
// token does not expire.
func keepAlive(issued, grantUntil time.Time) time.Time {
	if grantUntil.IsZero() {
		return issued.Add(keepAliveAfter)
	}
	return issued.Add(max(0, grantUntil.Sub(issued)) * renewAtTenths / 10).Truncate(time.Millisecond)
}

// alarmBeforeEnd is how long before a grant's end operators are alarmed.
const alarmBeforeEnd = 7 * 24 * time.Hour

// GrantEnding reports whether a grant is about to end whatever is done: its end
// is near, and an attempt to renew it has not moved it from before to after.
func GrantEnding(before, after, now time.Time) bool {
	return !after.IsZero() && after.Sub(now) < alarmBeforeEnd && after.Sub(before) < time.Minute
}

// Some refresh tokens may not be sent by back-off alone, because their answer
// was lost. They are sent when the access token has expired.

// ExchangeTimeout bounds all requests to a provider in one mint.
const ExchangeTimeout = 10 * time.Second

// holdWait is how long before the access token's expiry at the provider an
// attempt begins. It waits for the expiry, so that callers wait a moment
// instead of getting an error.
const holdWait = 3 * time.Second

// ExpiredAtProvider returns when an access token has expired by the provider's
// clock. issuedWithin is its [IssuedWithin]; 0: unknown. Its lifetime counts
// from before the request on our side, and from some time before the response
// on the provider's.
func ExpiredAtProvider(t token.Token, issuedWithin time.Duration) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.ExpiresAt.Add(orDefault(issuedWithin, ExchangeTimeout))
}

// HeldUntil returns when an attempt may begin to send a refresh token whose
// answer was lost; zero: there is no access token to lose.
func HeldUntil(t token.Token, issuedWithin time.Duration) time.Time {
	end := ExpiredAtProvider(t, issuedWithin)
	if end.IsZero() {
		return end
	}
	return end.Add(-holdWait)
}

// IssuedWithin returns how much later a token may expire at the provider than
// here: the time that the exchange took, and the resolution of a Date header.
func IssuedWithin(a provider.TokenResponse, answered time.Time) time.Duration {
	took := max(answered.Sub(a.SentAt), 0)
	return min(took+skew.Resolution, ExchangeTimeout).Truncate(time.Millisecond) + time.Millisecond
}

// AfterTooEarly returns when a refresh is tried again that the provider refused
// because it was too early: at the time that the provider named, else when the
// descriptor allows it, else after half of the remaining life.
func (r Rules) AfterTooEarly(expires, named, now time.Time) time.Time {
	allowed := expires.Add(-r.Earliest)
	switch {
	case named.After(now):
		return named
	case r.Earliest > 0 && allowed.After(now):
		return allowed
	}
	return now.Add(max(ShortestWait, expires.Sub(now)/2)).Truncate(time.Millisecond)
}
