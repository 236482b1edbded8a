package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
)

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(1500 * time.Microsecond)
		start := clock.Now()
		// == compares the monotonic reading and the location, too.
		if want := time.Unix(0, time.Now().UnixNano()).UTC().Truncate(time.Millisecond); start != want {
			t.Errorf("Now() = %#v, want %#v", start, want)
		}
		time.Sleep(time.Hour)
		if got := clock.Now().Sub(start); got != time.Hour {
			t.Errorf("an hour later, Now() is %v after the first, want 1h", got)
		}
	})
}
