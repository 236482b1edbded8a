package mint

import (
	"encoding/binary"
	"hash/fnv"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/provider/ratelimit"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// All that is about *when* stands in this file, as pure functions of times.

// The defaults of SPEC's section on renewal; a descriptor may say otherwise.
const (
	defaultLifetime = 10 * time.Minute // nobody says how long the token lives
	defaultCap      = 24 * time.Hour   // nothing lives longer
	renewAtTenths   = 8                // of ten: when a token is renewed
	renewEarliest   = 6 * time.Hour    // not earlier than this before the end
	renewLatest     = 2 * time.Minute  // not later than this before the end, where the life is twice as long
	revokesLead     = 30 * time.Second // how much sooner callers let go of a token that the next one kills
	forgetAfter     = 30 * 24 * time.Hour
	youngToken      = 30 * time.Second // a younger token is not replaced on a report
	longestWish     = time.Minute      // what a vended token should live where no min_ttl is given
)

// Shares of the jittered stretch, in parts of a thousand.
const (
	jitter      = 50  // 0–5 %
	firstJitter = 400 // 0–40 %: credentials made in one minute don't renew in one minute for ever
)

// Where a lifetime came from, as status reports it.
const (
	fromProvider   = "provider"
	fromJWT        = "jwt"
	fromCredential = "credential"
	fromDescriptor = "descriptor"
	fromDefault    = "default"
)

// rules is what a credential and its descriptor say about time. A zero field means the default.
type rules struct {
	lifetime     time.Duration // where the provider says none
	lifetimeFrom string
	cap          time.Duration
	earliest     time.Duration
	latest       time.Duration
	revokes      bool      // a new token kills the one before
	grantUntil   time.Time // the refresh token's end; zero: unknown, or there is none
}

// times is when a token began, ends, is to be renewed and to be let go.
type times struct {
	issued, expires, renew, cacheUntil time.Time
	from                               string
}

func (t times) life() time.Duration { return t.expires.Sub(t.issued) }

// planToken says when the token in an answer is over, and when to renew it. first: the key had no token before. The result's expires may lie in the past.
func planToken(a provider.TokenResponse, r rules, key token.Key, generation int64, first bool) times {
	t := lifetime(a, r)
	lead := renewLead(t.life(), r) + stretch(t.life(), key, generation, first)
	t.renew = t.expires.Add(-r.bounded(lead, t.life()))
	if !r.grantUntil.IsZero() {
		t.renew = earlier(t.renew, keepAlive(t.issued, r.grantUntil))
	}
	t.renew = later(t.issued, t.renew).Truncate(time.Millisecond)
	t.cacheUntil = t.renew
	if r.revokes {
		t.cacheUntil = later(t.issued, t.renew.Add(-revokesLead))
	}
	return t
}

// lifetime counts from just before the request was sent, on our clock.
func lifetime(a provider.TokenResponse, r rules) times {
	t := times{issued: a.SentAt.Truncate(time.Millisecond)}
	switch {
	case a.Expiry.Given && !a.Expiry.At.IsZero():
		t.expires, t.from = a.Clock.Ours(a.Expiry.At), fromProvider
	case a.Expiry.Given:
		t.expires, t.from = a.SentAt.Add(a.Expiry.In), fromProvider
	}
	if claimed := a.JWTExpiry(); claimed.Given {
		if end := a.Clock.Ours(claimed.At); t.from == "" || end.Before(t.expires) {
			t.expires, t.from = end, fromJWT
		}
	}
	if t.from == "" {
		life, from := r.assumed()
		t.expires, t.from = a.SentAt.Add(life), from
	}
	t.expires = earlier(t.expires, a.SentAt.Add(orDefault(r.cap, defaultCap))).Truncate(time.Millisecond)
	return t
}

func (r rules) assumed() (time.Duration, string) {
	if r.lifetime > 0 {
		return r.lifetime, r.lifetimeFrom
	}
	return defaultLifetime, fromDefault
}

// renewLead is how long before the end a token of this life is renewed, jitter apart.
func renewLead(life time.Duration, r rules) time.Duration {
	latest := orDefault(r.latest, renewLatest)
	lead := min(life-life*renewAtTenths/10, orDefault(r.earliest, renewEarliest))
	if life >= 2*latest {
		lead = max(lead, latest)
	}
	return lead
}

// bounded keeps a lead within the descriptor's bounds, which no jitter and no
// default goes beyond: a provider may refuse a renewal that comes too early.
func (r rules) bounded(lead, life time.Duration) time.Duration {
	if r.latest > 0 && life > r.latest {
		lead = max(lead, r.latest)
	}
	if r.earliest > 0 {
		lead = min(lead, r.earliest)
	}
	return lead
}

// stretch is the jitter: a share of the life, capped, that a hash of key and generation picks; so it is stable, and differs from key to key.
func stretch(life time.Duration, key token.Key, generation int64, first bool) time.Duration {
	share := uint64(jitter)
	if first {
		share = firstJitter
	}
	base := min(life, renewEarliest)
	if base <= 0 {
		return 0
	}
	return time.Duration(uint64(base) / 1000 * (hash(key, generation) % (share + 1))) // #nosec G115 -- a jitter: never negative, never large
}

// hash spreads keys and numbers evenly. It guards nothing.
func hash(key token.Key, n int64) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key.String()))
	_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(n))) // #nosec G115 -- the same bits
	x := h.Sum64()
	x ^= x >> 33 // FNV's low bits alone are too regular for a remainder
	x *= 0xff51afd7ed558ccd
	return x ^ x>>33
}

// keepAliveAfter is how often a grant is used whose refresh token has no known end: some end from idleness.
const keepAliveAfter = 24 * time.Hour

// keepAlive is when a grant is used at the latest, so that its refresh token does not run out.
func keepAlive(issued, grantUntil time.Time) time.Time {
	if grantUntil.IsZero() {
		return issued.Add(keepAliveAfter)
	}
	return issued.Add(max(0, grantUntil.Sub(issued)) * renewAtTenths / 10).Truncate(time.Millisecond)
}

// grantNearlyOver is how long before a grant's end operators are told.
const grantNearlyOver = 7 * 24 * time.Hour

// ending says whether a grant is about to run out, whatever is done: its end is near, and an attempt to renew it has not moved it.
func ending(before, after time.Time, now time.Time) bool {
	return !after.IsZero() && after.Sub(now) < grantNearlyOver && after.Sub(before) < time.Minute
}

// wish is how long a vended token should live where the caller named no floor.
// It is a tenth of a short life, so that rotate, which renews at a fifth, comes
// first, and no more than the descriptor's earliest time to renew.
func wish(life time.Duration, r rules) time.Duration {
	return r.bounded(min(longestWish, life/10), 0)
}

// holdUntil is for a provider that hands out the same token, or one of the same end, until that is over: ask once more when it nearly is, then not before its end.
func holdUntil(t times, now time.Time) time.Time {
	nearly := t.expires.Add(-min(revokesLead, t.life()/20))
	if now.Before(nearly) {
		return nearly
	}
	return t.expires
}

// Back-off after passing failures: the wait is between its shortest and an exponentially growing bound.
const (
	shortestWait = time.Second
	longestWait  = 15 * time.Minute
	mostDoubling = 10 // 2^10 s is past longestWait
)

// backoff is the wait after the count-th failure in a row, count ≥ 1: full jitter, by a hash of key and count.
func backoff(key token.Key, generation int64, count int) time.Duration {
	bound := min(longestWait, shortestWait<<min(count, mostDoubling))
	spread := uint64(bound - shortestWait)                                                 // #nosec G115 -- a jitter: never negative, never large
	return shortestWait + time.Duration(hash(key, generation<<16+int64(count))%(spread+1)) // #nosec G115 -- a jitter: never negative, never large
}

// permanentWaits keeps a dead client to six requests in the first hour, though its first mint may try three versions of the secret; then one an hour.
var permanentWaits = [...]time.Duration{4 * time.Minute, 16 * time.Minute, 40 * time.Minute, time.Hour}

func permanentWait(count int) time.Duration {
	return permanentWaits[min(max(count, 1), len(permanentWaits))-1]
}

const longestCooldown = ratelimit.MaxCooldown

// forgetAt is when a row may be dropped: long after its token and its refresh token are over.
func forgetAt(e store.Entry, now time.Time) time.Time {
	return later(later(e.ExpiresAt, e.RefreshUntil), now).Add(forgetAfter)
}

// refreshEnd is when the refresh token in an answer is over; zero: unknown. An
// end that has come before the token did is none: 0 and dates long past stand
// for "no end" (Keycloak's offline tokens), and a refresh token that has just
// been given is never thrown away for what stands beside it.
func refreshEnd(a provider.TokenResponse) time.Time {
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

// leastRefreshLife is the least that the life of a refresh token is believed
// to be: less could not be used.
const leastRefreshLife = time.Second

func wall() time.Time { return clock.Now() }

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
