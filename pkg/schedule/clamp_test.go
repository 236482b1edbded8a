package schedule

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

func TestClamp(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	in := func(d time.Duration) time.Time { return now.Add(d) }
	const day = 24 * time.Hour
	for name, c := range map[string]struct{ stored, want store.Entry }{
		"nothing": {},
		"a lease": {
			store.Entry{LeasedUntil: in(15 * time.Second)},
			store.Entry{LeasedUntil: in(15 * time.Second)},
		},
		"a lease that is over":   {store.Entry{LeasedUntil: in(-day)}, store.Entry{LeasedUntil: in(-day)}},
		"a lease without an end": {store.Entry{LeasedUntil: in(1000 * day)}, store.Entry{LeasedUntil: now}},
		"the longest cooldown":   {store.Entry{CooldownUntil: in(day)}, store.Entry{CooldownUntil: in(day)}},
		"clocks that differ": {
			store.Entry{CooldownUntil: in(day + clockSkew), AskedAt: in(clockSkew)},
			store.Entry{CooldownUntil: in(day + clockSkew), AskedAt: in(clockSkew)},
		},
		"a longer cooldown":   {store.Entry{CooldownUntil: in(day + clockSkew + 1)}, store.Entry{}},
		"asked in the future": {store.Entry{AskedAt: in(time.Hour)}, store.Entry{}},
		"held past the token's end": {
			store.Entry{ExpiresAt: in(time.Hour), HoldUntil: in(2 * time.Hour)},
			store.Entry{ExpiresAt: in(time.Hour), HoldUntil: in(time.Hour)},
		},
		"the longest back-off": {
			store.Entry{Failure: store.Failure{RetryAt: in(day), Count: 7, Since: in(-day)}},
			store.Entry{Failure: store.Failure{RetryAt: in(day), Count: 7, Since: in(-day)}},
		},
		"a back-off without an end": {
			store.Entry{Failure: store.Failure{RetryAt: in(100 * day), Count: math.MaxInt, Since: in(day)}},
			store.Entry{Failure: store.Failure{Count: maxCount}},
		},
		"fewer failures than none": {store.Entry{Failure: store.Failure{Count: -1}}, store.Entry{}},
		"due before the token's end": {
			store.Entry{ExpiresAt: in(90 * day), NextAt: in(80 * day)},
			store.Entry{ExpiresAt: in(90 * day), NextAt: in(80 * day)},
		},
		"due before the grant's end": {
			store.Entry{RefreshUntil: in(90 * day), NextAt: in(80 * day)},
			store.Entry{RefreshUntil: in(90 * day), NextAt: in(80 * day)},
		},
		"never due": {
			store.Entry{ExpiresAt: in(time.Hour), NextAt: in(80 * day)},
			store.Entry{ExpiresAt: in(time.Hour), NextAt: now},
		},
		"a generation past counting": {store.Entry{Generation: math.MaxInt64}, store.Entry{}},
		"a negative generation":      {store.Entry{Generation: -1}, store.Entry{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := Clamp(c.stored, now)
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("Clamp(%+v)\n = %+v\nwant %+v", c.stored, got, c.want)
			}
			if again := Clamp(got, now); again.NextAt != got.NextAt || again.Failure != got.Failure {
				t.Errorf("Clamp of a clamped entry = %+v, want it unchanged: %+v", again, got)
			}
		})
	}
}
