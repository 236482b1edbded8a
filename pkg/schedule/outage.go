package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The times of a provider's outage. While its host does not answer, one grant
// at a time probes it; see package outage.
const (
	ProbeInterval = 15 * time.Second // between two probes of one host, across all processes; see probeInterval
	probePart     = 240              // the part of an outage's age that an interval may take
	firstTurn     = 5 * time.Second  // in which only grants may probe that have not failed
	followFor     = 5 * time.Minute  // after an outage, in which renewals at once are bounded
	forgetOutage  = 20 * time.Minute // after the last probe, when an outage is forgotten
)

// probeInterval returns the time between two probes of a host that has not
// worked since a time: 15 seconds in the first hour, then the 240th part of the
// outage's age, up to 15 minutes. So an outage lasts at most that part longer
// for callers than it did, and a host that never works again, because its
// client is gone, is asked 240 times in the first hour and 4 times an hour in
// the end.
func probeInterval(since, now time.Time) time.Duration {
	return min(longestWait, max(ProbeInterval, now.Sub(since)/probePart))
}

// OutageBegins returns the failure of a host that has just failed for one key.
func OutageBegins(code, key string, now time.Time) store.Failure {
	return store.Failure{Code: code, Since: now, Count: 1, RetryAt: now.Add(ProbeInterval), Version: key}
}

// Probed returns the failure of a host after a probe begins at the time now.
func Probed(f store.Failure, now time.Time) store.Failure {
	f.RetryAt = now.Add(probeInterval(f.Since, now)).Truncate(time.Millisecond)
	return f
}

// BelievedProbe returns a host's failure with a next probe that some process
// can have written: the record is not sealed, and one forged write must not
// delay grants for long.
func BelievedProbe(f store.Failure, now time.Time) store.Failure {
	if f.RetryAt.After(now.Add(probeInterval(f.Since, now) + ProbeInterval)) { // clocks may differ a little
		f.RetryAt = now
	}
	return f
}

// IsDown reports whether a host's failure is an outage that is not yet
// forgotten.
func IsDown(host store.Failure, now time.Time) bool {
	return !host.IsZero() && now.Sub(host.RetryAt) < forgetOutage
}

// TurnToProbe returns when a grant may probe a host. One that has failed lets
// those go first that have not: its failure may be its own, and not the host's.
func TurnToProbe(host store.Failure, hasFailed bool) time.Time {
	if hasFailed {
		return host.RetryAt.Add(firstTurn)
	}
	return host.RetryAt
}

// IsRecent reports whether an outage has ended so recently that renewals at
// once are bounded.
func IsRecent(ended, now time.Time) bool { return now.Sub(ended) < followFor }

// WorkedSince reports whether a host has worked after an entry's last failure;
// ended is the end of its last outage.
func WorkedSince(ended time.Time, e store.Entry) bool { return ended.After(failedAt(e)) }

// AfterOutage returns when rotate tries a grant again that an outage of its
// host delays: the later, the longer the outage. A caller that requests the
// token gets one as soon as the host works.
func AfterOutage(host store.Failure, key token.Key, now time.Time) time.Time {
	spread := time.Duration(hash(key, now.Unix()) % uint64(ProbeInterval)) // #nosec G115 -- never negative, never large
	quarter := now.Add(min(longestWait, now.Sub(host.Since)/4))
	return clock.Later(host.RetryAt, quarter).Add(spread).Truncate(time.Millisecond)
}

// Pause returns until when a whole client pauses after a failure of one of its
// entries: until the time that the provider named. Where it named none, the
// limit may be that of one grant type, and its host may not work: the back-off
// of the entry holds no other entry back for longer than a probe.
func Pause(met store.Failure, named bool, now time.Time) time.Time {
	if named {
		return met.RetryAt
	}
	return clock.Earlier(met.RetryAt, now.Add(ProbeInterval))
}
