package mint

import (
	"testing"
	"time"
)

func TestForcedRenewalsBackOff(t *testing.T) {
	last := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	const hour = time.Hour
	for name, c := range map[string]struct {
		state forcedState
		wait  time.Duration // after last; 0: none
		after time.Duration // after last: when the next is forced
		count int           // the count then
	}{
		"the first":                          {forcedState{}, 0, 0, 1},
		"the second":                         {forcedState{1, last, hour}, 2 * time.Minute, 2 * time.Minute, 2},
		"the third":                          {forcedState{2, last, hour}, 10 * time.Minute, 10 * time.Minute, 3},
		"the fourth":                         {forcedState{3, last, hour}, 30 * time.Minute, 30 * time.Minute, 4},
		"the hundredth":                      {forcedState{99, last, hour}, 30 * time.Minute, 59 * time.Minute, 100},
		"after half an hour's life of quiet": {forcedState{3, last, hour}, 30 * time.Minute, 60 * time.Minute, 1},
		"a long life: half an hour of quiet": {forcedState{1, last, 24 * hour}, 2 * time.Minute, 32 * time.Minute, 1},
		"a long life: not yet quiet":         {forcedState{1, last, 24 * hour}, 2 * time.Minute, 31 * time.Minute, 2},
		"a short life":                       {forcedState{2, last, 2 * time.Minute}, 10 * time.Minute, 11 * time.Minute, 1},
		"a short life: not yet quiet":        {forcedState{2, last, 2 * time.Minute}, 10 * time.Minute, 10*time.Minute + 59*time.Second, 3},
		"a count that makes no sense":        {forcedState{-5, last, hour}, 0, 0, 1},
		"a life that makes no sense":         {forcedState{1, last, -hour}, 2 * time.Minute, 2 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			wait := time.Duration(0)
			if at := c.state.notBefore(); !at.IsZero() {
				wait = at.Sub(last)
			}
			if wait != c.wait {
				t.Errorf("%+v.notBefore() is %v after the last, want %v", c.state, wait, c.wait)
			}
			if got := c.state.next(last.Add(c.after)); got != c.count {
				t.Errorf("%+v.next(%v after the last) = %d, want %d", c.state, c.after, got, c.count)
			}
		})
	}
}
