package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/provider"
)

// Times are the times of one token.
type Times struct {
	Issued, Expires, Renew, CacheUntil time.Time

	From string // the source of the lifetime
}

// Life returns the token's lifetime.
func (t Times) Life() time.Duration { return t.Expires.Sub(t.Issued) }

// Token returns the times of the token in a response. Expires may lie in the
// past.
func Token(a provider.TokenResponse, r Rules, j Jitter) Times {
	t := lifetime(a, r)
	lead := renewLead(t.Life(), r) + j.of(t.Life())
	t.Renew = t.Expires.Add(-r.bounded(lead, t.Life()))
	if !r.GrantUntil.IsZero() {
		t.Renew = clock.Earlier(t.Renew, keepAlive(t.Issued, r.GrantUntil))
	}
	t.Renew = clock.Later(t.Issued, t.Renew).Truncate(time.Millisecond)
	t.CacheUntil = t.Renew
	if r.Revokes {
		t.CacheUntil = clock.Later(t.Issued, t.Renew.Add(-revokesLead))
	}
	return t
}

// lifetime counts from just before the request was sent, on our clock.
func lifetime(a provider.TokenResponse, r Rules) Times {
	t := Times{Issued: a.SentAt.Truncate(time.Millisecond)}
	switch {
	case a.Expiry.Given && !a.Expiry.At.IsZero():
		t.Expires, t.From = a.Clock.Ours(a.Expiry.At), fromProvider
	case a.Expiry.Given:
		t.Expires, t.From = a.SentAt.Add(a.Expiry.In), fromProvider
	}
	if claimed := a.JWTExpiry(); claimed.Given {
		if end := a.Clock.Ours(claimed.At); t.From == "" || end.Before(t.Expires) {
			t.Expires, t.From = end, fromJWT
		}
	}
	if t.From == "" {
		life, from := r.assumedLifetime()
		t.Expires, t.From = a.SentAt.Add(life), from
	}
	longest := a.SentAt.Add(orDefault(r.Cap, defaultCap))
	t.Expires = clock.Earlier(t.Expires, longest).Truncate(time.Millisecond)
	return t
}

// renewLead returns how long before its expiry a token is renewed, without
// jitter.
func renewLead(life time.Duration, r Rules) time.Duration {
	latest := orDefault(r.Latest, renewLatest)
	lead := min(life-life*renewAtTenths/10, orDefault(r.Earliest, renewEarliest))
	if life >= 2*latest {
		lead = max(lead, latest)
	}
	return lead
}

// RefreshEnd returns when the refresh token of a response expires; zero:
// unknown. An expiry before the access token's issue means none: 0 and dates
// long past stand for "no expiry" (Keycloak's offline tokens). A new refresh
// token is never discarded because of it.
func RefreshEnd(a provider.TokenResponse) time.Time {
	var end time.Time
	switch {
	case !a.RefreshExpiry.Given:
	case !a.RefreshExpiry.At.IsZero():
		end = a.Clock.Ours(a.RefreshExpiry.At)
	default:
		end = a.SentAt.Add(a.RefreshExpiry.In)
	}
	if !end.After(a.SentAt.Add(leastRefreshLife)) {
		return time.Time{}
	}
	return end.Truncate(time.Millisecond)
}

// leastRefreshLife is the shortest lifetime of a refresh token that is
// believed. A shorter one could not be used.
const leastRefreshLife = time.Second
