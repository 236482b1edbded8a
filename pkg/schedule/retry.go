package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/provider/ratelimit"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The back-off after temporary failures: a random wait between the shortest
// one and a bound that doubles.
const (
	ShortestWait = time.Second
	longestWait  = 15 * time.Minute
	maxDoublings = 10 // 2^10 s exceeds longestWait
)

// maxCooldown is the longest pause of a provider that is obeyed.
const maxCooldown = ratelimit.MaxCooldown

// Attempt is a failed attempt, as far as the time of the next one depends on
// it.
type Attempt struct {
	Key        token.Key
	Generation int64
	Version    string // of the secret that was used
	Code       string
	Detail     string
	Permanent  bool      // only a change helps
	Until      time.Time // the provider accepts no request before; zero: it named no time
	Planned    bool      // the time of the next attempt is known, so this one is not counted
	Refused    bool      // the provider refused the request in words
	TokenEnds  time.Time // the expiry of the token at hand
}

// Failed returns the failure to store for an attempt at the time now that
// failed after old.
func Failed(old store.Failure, a Attempt, now time.Time) store.Failure {
	next := store.Failure{Code: a.Code, Detail: a.Detail, Since: now, Count: 1, Version: a.Version}
	if !old.IsZero() && old.Version == a.Version {
		next.Since = old.Since
		if !a.Permanent || old.Code == next.Code {
			next.Count = old.Count + 1
		}
	}
	wait := permanentWait(next.Count)
	if !a.Permanent {
		wait = backoff(a.Key, a.Generation, next.Count)
	}
	if left := a.TokenEnds.Sub(now); a.Refused && !a.Permanent && left > 0 {
		wait = min(wait, left) // callers have nothing from then on, and the cause may have passed
	}
	if a.Planned {
		wait, next.Count = ShortestWait, 1
	}
	next.RetryAt = clock.Later(now.Add(wait), Cooldown(a.Until, now)).Truncate(time.Millisecond)
	return next
}

// Cooldown returns the end of a pause that a provider asked for, within the
// longest that is obeyed.
func Cooldown(until, now time.Time) time.Time {
	return clock.Earlier(until, now.Add(maxCooldown)).Truncate(time.Millisecond)
}

// backoff returns the wait after the count-th failure in a row, count ≥ 1: full
// jitter, by a hash of key and count.
func backoff(key token.Key, generation int64, count int) time.Duration {
	bound := min(longestWait, ShortestWait<<min(count, maxDoublings))
	spread := uint64(bound - ShortestWait) // #nosec G115 -- a jitter: never negative, never large
	part := hash(key, generation<<16+int64(count)) % (spread + 1)
	return ShortestWait + time.Duration(part) // #nosec G115 -- a jitter: never negative, never large
}

// permanentWaits limit a refused client to six requests in the first hour,
// though its first mint may try three versions of the secret; then one an hour.
var permanentWaits = [...]time.Duration{4 * time.Minute, 16 * time.Minute, 40 * time.Minute, time.Hour}

func permanentWait(count int) time.Duration {
	return permanentWaits[min(max(count, 1), len(permanentWaits))-1]
}

// failedAt returns when an entry's last attempt failed, by its back-off; later
// if the provider asked for a pause.
func failedAt(e store.Entry) time.Time {
	return e.Failure.RetryAt.Add(-backoff(e.Key, e.Generation, e.Failure.Count))
}
