package schedule

import (
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

func TestAlarmAt(t *testing.T) {
	issued := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		life, renew time.Duration // 0: no token
		failed      time.Duration // after the issue; 0: not
		want        time.Duration
	}{
		"an hour":                         {time.Hour, 48 * time.Minute, 0, 51 * time.Minute},
		"an hour, after a failure":        {time.Hour, 48 * time.Minute, 48 * time.Minute, 51 * time.Minute},
		"a day":                           {24 * time.Hour, 18 * time.Hour, 0, 20*time.Hour + 57*time.Minute},
		"half an hour":                    {30 * time.Minute, 24 * time.Minute, 0, 26 * time.Minute},
		"half an hour, after a failure":   {30 * time.Minute, 24 * time.Minute, 24 * time.Minute, 24 * time.Minute},
		"ten minutes":                     {10 * time.Minute, 8 * time.Minute, 0, 10 * time.Minute},
		"ten minutes, after a failure":    {10 * time.Minute, 8 * time.Minute, 9 * time.Minute, 9 * time.Minute},
		"a short life with a long lead":   {20 * time.Minute, 5 * time.Minute, 6 * time.Minute, 6 * time.Minute},
		"a long life with a short lead":   {time.Hour, 59 * time.Minute, 59 * time.Minute, 59 * time.Minute},
		"no token, after a failure":       {0, 0, time.Second, time.Second},
		"no token, not tried for a while": {0, 0, 0, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			e := store.Entry{NextAt: issued.Add(c.renew)}
			if c.life > 0 {
				e.IssuedAt, e.RenewAt, e.ExpiresAt = issued, issued.Add(c.renew), issued.Add(c.life)
			}
			setAlarm(&e)
			if c.failed > 0 {
				now := issued.Add(c.failed)
				e.Failure.RetryAt = now.Add(time.Minute)
				RetryAfter(&e, store.Failure{}, time.Time{}, true, now)
			}
			if got := e.AlarmAt.Sub(issued); got != c.want {
				t.Errorf("AlarmAt = %v after the issue, want %v", got, c.want)
			}
			Retire(&e)
			if !e.AlarmAt.IsZero() {
				t.Errorf("AlarmAt of a retired entry = %v, want none", e.AlarmAt)
			}
		})
	}
}
