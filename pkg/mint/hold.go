package mint

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// This file says when a refresh token is sent that may not be sent by back-off
// alone.

// holdWait is how long before the certain end of an access token an attempt
// begins, that then waits for the end: callers wait a moment instead of
// meeting an error.
const holdWait = 3 * time.Second

// accessEnd is when the access token at hand is certainly over by the
// provider's clock. Its life counts from before the request here, and from
// some time before the answer there.
func (v view) accessEnd() time.Time {
	if v.entry.token.IsZero() {
		return time.Time{}
	}
	return v.entry.token.ExpiresAt.Add(orDefault(v.entry.issuedWithin, ExchangeTimeout))
}

// heldUntil is when an attempt may begin to send a refresh token whose answer
// was lost; zero: there is no access token to lose.
func (v view) heldUntil() time.Time {
	end := v.accessEnd()
	if end.IsZero() {
		return end
	}
	return end.Add(-holdWait)
}

// issuedWithin bounds how much later than its end here a token may end at the
// provider: by the time that the exchange took, and by what the seconds of a
// Date header leave out.
func issuedWithin(a provider.TokenResponse, answered time.Time) time.Duration {
	took := max(answered.Sub(a.SentAt), 0)
	return min(took+skew.Resolution, ExchangeTimeout).Truncate(time.Millisecond) + time.Millisecond
}

// nextAfterTooEarly is when a refresh is tried again that came too early: at
// the time that the provider named, else when its descriptor allows it, else
// after half of what is left.
func (v view) nextAfterTooEarly(named time.Time) time.Time {
	now := wall()
	allowed := v.entry.token.ExpiresAt.Add(-v.speaks.earliest)
	switch {
	case named.After(now):
		return named
	case v.speaks.earliest > 0 && allowed.After(now):
		return allowed
	}
	return now.Add(max(shortestWait, v.entry.token.Left(now)/2)).Truncate(time.Millisecond)
}
