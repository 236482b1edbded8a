// Package schedule decides when: when a token is renewed, when a failed attempt
// is repeated, when a grant is used to keep it alive, when a row may be deleted
// and when operators are alarmed. All functions are pure; times are arguments.
//
// No other package computes a NextAt, a RenewAt or a RetryAt. Functions that
// set one take a pointer to the entry.
package schedule

import (
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
)

// The defaults. A descriptor may replace those of renewal.
const (
	DefaultLifetime = 10 * time.Minute // the provider, the credential and the descriptor name none
	defaultCap      = 24 * time.Hour   // no longer lifetime is believed
	renewAtTenths   = 8                // of ten: the part of its life after which a token is renewed
	renewEarliest   = 6 * time.Hour    // not earlier than this before the expiry
	renewLatest     = 2 * time.Minute  // not later than this before the expiry, if the life is twice as long
	revokesLead     = 30 * time.Second // callers discard a token sooner by this if the next one revokes it
	longestSoftTTL  = time.Minute      // see SoftMinTTL
)

// The sources of a lifetime, as the status reports them.
const (
	fromProvider   = "provider"
	fromJWT        = "jwt"
	fromCredential = "credential"
	fromDescriptor = "descriptor"
	fromDefault    = "default"
)

// Rules is what a credential and its descriptor say about time. The zero value
// of a field means the default.
type Rules struct {
	Lifetime     time.Duration // if the provider names none
	LifetimeFrom string
	Cap          time.Duration // the longest lifetime that is believed
	Earliest     time.Duration // no renewal earlier than this before the expiry
	Latest       time.Duration // no renewal later than this before the expiry
	Revokes      bool          // a new token revokes the one before
	GrantUntil   time.Time     // the refresh token's expiry; zero: unknown, or there is none
}

// RulesOf returns the rules for a token that is renewed by a grant type.
// learned lists the grant types whose new token was seen to revoke the one
// before; they count where the descriptor says nothing. A nil descriptor has no
// rules.
func RulesOf(t credential.Terms, d *descriptor.Descriptor, learned []descriptor.Grant, g descriptor.Grant) Rules {
	if d == nil {
		return Rules{}
	}
	r := Rules{
		Lifetime:     time.Duration(t.Lifetime),
		LifetimeFrom: fromCredential,
		Cap:          d.MaxLifetime(),
		Earliest:     time.Duration(d.Renew.Earliest),
		Latest:       time.Duration(d.Renew.Latest),
	}
	switch d.Overlap(g) {
	case descriptor.OverlapRevokes:
		r.Revokes = true
	case descriptor.OverlapUnknown:
		r.Revokes = slices.Contains(learned, g)
	}
	if r.Lifetime == 0 {
		r.Lifetime, r.LifetimeFrom = d.DefaultLifetime(), fromDescriptor
	}
	return r
}

func (r Rules) assumedLifetime() (time.Duration, string) {
	if r.Lifetime > 0 {
		return r.Lifetime, r.LifetimeFrom
	}
	return DefaultLifetime, fromDefault
}

// SoftMinTTL returns how long a vended token should live if the caller names no
// min_ttl and a better token can be obtained. It is a tenth of a short life, so
// that rotate, which renews at a fifth, is first. It is no more than the
// descriptor's earliest renewal.
func (r Rules) SoftMinTTL(life time.Duration) time.Duration {
	return r.bounded(min(longestSoftTTL, life/10), 0)
}

// TooEarly reports whether the provider would refuse a refresh now, by its
// descriptor, because the access token does not expire soon enough.
func (r Rules) TooEarly(expires, now time.Time) bool {
	return r.Earliest > 0 && now.Before(expires.Add(-r.Earliest))
}

// bounded keeps a time before the expiry within the descriptor's bounds, which
// neither jitter nor a default may exceed: a provider may refuse a renewal that
// is too early.
func (r Rules) bounded(lead, life time.Duration) time.Duration {
	if r.Latest > 0 && life > r.Latest {
		lead = max(lead, r.Latest)
	}
	if r.Earliest > 0 {
		lead = min(lead, r.Earliest)
	}
	return lead
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
