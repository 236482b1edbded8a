package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// AskedPrecision is how old AskedAt may be before a request is noted again.
const AskedPrecision = time.Hour

// IsIdle reports whether nobody has requested an entry since it was minted, for
// the time that its credential allows.
func IsIdle(e store.Entry, idleAfter time.Duration, now time.Time) bool {
	return e.AskedAt.Before(e.IssuedAt) && now.Sub(e.AskedAt) > idleAfter+AskedPrecision
}

// FreedAt returns when a variant that callers made by scope and audience no
// longer counts against their bound, if nobody requests it: after one life.
// AskedAt may be older than the last request by AskedPrecision.
func FreedAt(e store.Entry) time.Time {
	life := e.ExpiresAt.Sub(e.IssuedAt)
	if life <= 0 {
		life = DefaultLifetime
	}
	return e.AskedAt.Add(life + AskedPrecision)
}

// YoungToken is the age below which a token is not replaced on a report.
const YoungToken = 30 * time.Second

// forcedWaits are the waits after renewals in a row that reports forced: after
// the first, the second, and each later one. At a provider whose renewal
// revokes the token before, each costs every caller its token.
var forcedWaits = [...]time.Duration{2 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// longestQuiet bounds how long no report may force a renewal before forced
// renewals are counted from the beginning.
const longestQuiet = 30 * time.Minute

// ForcedNotBefore returns when a report may force the next renewal of an entry.
func ForcedNotBefore(e store.Entry) time.Time {
	if e.ForcedCount <= 0 || e.ForcedAt.IsZero() {
		return time.Time{}
	}
	return e.ForcedAt.Add(forcedWaits[min(e.ForcedCount, len(forcedWaits))-1])
}

// Forced notes that a report forces a renewal at the time now. The count begins
// again if half a life has passed in which one could have been forced and none
// was.
func Forced(e *store.Entry, now time.Time) {
	life := e.ExpiresAt.Sub(e.IssuedAt)
	quiet := min(max(life, 0)/2, longestQuiet)
	if !now.Before(ForcedNotBefore(*e).Add(quiet)) {
		e.ForcedCount = 0
	}
	e.ForcedCount, e.ForcedAt = e.ForcedCount+1, now
}
