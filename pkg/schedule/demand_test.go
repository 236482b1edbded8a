package schedule

import (
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

func TestForcedRenewalsBackOff(t *testing.T) {
	last := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	const hour = time.Hour
	forced := func(count int, life time.Duration) store.Entry {
		return store.Entry{ForcedCount: count, ForcedAt: last, IssuedAt: last, ExpiresAt: last.Add(life)}
	}
	for name, c := range map[string]struct {
		entry store.Entry
		wait  time.Duration // after last; 0: none
		after time.Duration // after last: when the next is forced
		count int           // the count then
	}{
		"the first":                          {store.Entry{}, 0, 0, 1},
		"the second":                         {forced(1, hour), 2 * time.Minute, 2 * time.Minute, 2},
		"the third":                          {forced(2, hour), 10 * time.Minute, 10 * time.Minute, 3},
		"the fourth":                         {forced(3, hour), 30 * time.Minute, 30 * time.Minute, 4},
		"the hundredth":                      {forced(99, hour), 30 * time.Minute, 59 * time.Minute, 100},
		"after half an hour's life of quiet": {forced(3, hour), 30 * time.Minute, 60 * time.Minute, 1},
		"a long life: half an hour of quiet": {forced(1, 24*hour), 2 * time.Minute, 32 * time.Minute, 1},
		"a long life: not yet quiet":         {forced(1, 24*hour), 2 * time.Minute, 31 * time.Minute, 2},
		"a short life":                       {forced(2, 2*time.Minute), 10 * time.Minute, 11 * time.Minute, 1},
		"a short life: not yet quiet": {
			forced(2, 2*time.Minute), 10 * time.Minute, 10*time.Minute + 59*time.Second, 3,
		},
		"a negative count": {forced(-5, hour), 0, 0, 1},
		"a negative life":  {forced(1, -hour), 2 * time.Minute, 2 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			wait := time.Duration(0)
			if at := ForcedNotBefore(c.entry); !at.IsZero() {
				wait = at.Sub(last)
			}
			if wait != c.wait {
				t.Errorf("ForcedNotBefore(%+v) = %v after the last, want %v", c.entry, wait, c.wait)
			}
			e := c.entry
			Forced(&e, last.Add(c.after))
			if e.ForcedCount != c.count {
				t.Errorf(
					"Forced(%+v, %v after the last): count = %d, want %d",
					c.entry,
					c.after,
					e.ForcedCount,
					c.count,
				)
			}
		})
	}
}
