package schedule

import (
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

const (
	// alarmTakes is how long it takes from an entry's AlarmAt to the alarm
	// Overdue: until the next pass, and two data points of a minute.
	alarmTakes = 3 * time.Minute
	// untried is how late an entry may be of which no attempt has failed. Each
	// minute there is a pass.
	untried = 2 * time.Minute
	// shortLife is the lifetime below which the first failure counts.
	shortLife = 30 * time.Minute
)

// grace returns how long after a renewal time an entry may be without
// success: the alarm is raised at half the lead before the expiry then. 0: the
// first failure counts, because the token's life is short or there is no time
// for a second attempt.
func grace(e store.Entry, renewal time.Time) time.Duration {
	p := e.ExpiresAt.Sub(renewal)/2 - alarmTakes
	if e.ExpiresAt.IsZero() || e.ExpiresAt.Sub(e.IssuedAt) < shortLife || p < untried {
		return 0
	}
	return p
}

// setAlarm sets from when on an entry is overdue that is due at its NextAt and
// has not failed.
func setAlarm(e *store.Entry) {
	e.AlarmAt = time.Time{}
	if !e.NextAt.IsZero() {
		e.AlarmAt = e.NextAt.Add(max(grace(*e, e.NextAt), untried))
	}
}

// setAlarmAfterFailure is setAlarm for an entry that has just failed.
func setAlarmAfterFailure(e *store.Entry, now time.Time) {
	after := grace(*e, e.RenewAt)
	switch {
	case e.NextAt.IsZero():
		e.AlarmAt = time.Time{}
	case after > 0 && e.AlarmAt.IsZero(): // an older program has written it
		e.AlarmAt = e.RenewAt.Add(after)
	case after == 0 && (e.AlarmAt.IsZero() || now.Before(e.AlarmAt)):
		e.AlarmAt = now
	}
}
