package rotate_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// overdueAlarm runs passes until the alarm Overdue of template.yaml is raised,
// and returns when that was after the start and after the first failure.
func (w *world) overdueAlarm(most time.Duration) (raised, sinceFailure time.Duration) {
	w.T.Helper()
	alarms, _ := testbed.Alarms(w.T)
	series := testbed.Series{"Overdue": map[int][]float64{}}
	start := time.Now()
	var failed time.Time
	for minute := 1; time.Since(start) < most; minute++ {
		began := time.Now()
		r := w.pass()
		if r.Failed > 0 && failed.IsZero() {
			failed = began
		}
		series["Overdue"][minute] = []float64{float64(r.Overdue)}
		time.Sleep(time.Until(began.Add(time.Minute)))
		states := alarms["OverdueAlarm"].Evaluate(series, minute)
		if states[minute-1] == testbed.AlarmRaised {
			return time.Since(start), time.Since(failed)
		}
	}
	return 0, 0
}

// The alarm Overdue is raised at half the lead before a token expires, at the
// latest, and for short lives three minutes after the first failure. This holds
// for a single credential and for many.
func TestOverdueAlarmIsRaisedInTime(t *testing.T) {
	for _, c := range []struct {
		life        time.Duration
		credentials int
	}{
		{10 * time.Minute, 1},
		{20 * time.Minute, 30},
		{30 * time.Minute, 1},
		{time.Hour, 1},
		{time.Hour, 3},
		{time.Hour, manyCredentials},
		{24 * time.Hour, 1},
	} {
		t.Run(fmt.Sprintf("%v, %d credentials", c.life, c.credentials), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, testworld.Config{Simulator: simulator.Options{Lifetime: c.life}})
				for i := range c.credentials {
					w.Put(fmt.Sprintf("c%03d", i), "minut", map[string]any{"keep_warm": true})
				}
				w.pass()
				if r := w.pass(); r.Overdue != 0 {
					t.Fatalf("Run() with new tokens = %+v, want none overdue", r)
				}
				e := w.Entry(testworld.Key("c000"))
				testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Status: http.StatusServiceUnavailable}))
				time.Sleep(time.Until(e.RenewAt.Add(-5 * time.Minute)))
				before := time.Now()
				raised, sinceFailure := w.overdueAlarm(c.life)
				end := e.ExpiresAt.Add(-e.ExpiresAt.Sub(e.RenewAt) / 2)
				late := before.Add(raised).After(end)
				if c.life < 30*time.Minute {
					late = sinceFailure > 3*time.Minute
				}
				if raised == 0 || late {
					t.Errorf("OverdueAlarm is raised at %v, %v after the first failure; want half the lead before the expiry, "+
						"at %v, or 3m after it if the life is under 30m", before.Add(raised), sinceFailure, end)
				}
			})
		})
	}
}

// A failure that passes raises nothing for a token with a long lead.
func TestOverdueAlarmIgnoresAFailureThatPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", map[string]any{"keep_warm": true})
		w.pass()
		e := w.Entry(testworld.Key("minut"))
		time.Sleep(time.Until(e.RenewAt.Add(-time.Minute)))
		fault := simulator.Fault{Status: http.StatusServiceUnavailable, Times: 2}
		testworld.Must(t, w.Providers.SetFault("minut", fault))
		if raised, _ := w.overdueAlarm(3 * time.Hour); raised != 0 {
			t.Errorf("OverdueAlarm is raised after %v, want never", raised)
		}
	})
}

// Promise 43: what waits for a provider that hangs does not keep a pass from
// reading what is due elsewhere.
func TestFault43_ManyThatHangStarveNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		const healthy = 100
		w.Put("hanging", "movemint", nil)
		for i := range healthy {
			w.Put(fmt.Sprintf("healthy%03d", i), "minut", map[string]any{"keep_warm": true})
		}
		w.discover()
		for i := range hangingEntries {
			w.putDue(i)
		}
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Delay: time.Minute}))
		w.workers(1, 1)
		if n := w.TokenRequests("minut"); n != healthy {
			t.Errorf("%d of %d healthy credentials are renewed beside %d entries at a provider that hangs, want all",
				n, healthy, hangingEntries)
		}
	})
}

// putDue stores a variant of the credential "hanging" that has been due for
// long, as an older program wrote it.
func (w *world) putDue(i int) {
	w.T.Helper()
	key := token.Key{Credential: "hanging", Variant: token.NewVariant("", fmt.Sprintf("s%d", i), "")}
	long := time.Now().Add(-24 * time.Hour)
	_, err := w.Store.Replace(w.T.Context(), store.Entry{Key: key}, store.Entry{
		NextAt: long, RenewAt: long, ExpiresAt: long, AskedAt: time.Now(), ForgetAt: time.Now().Add(24 * time.Hour),
	})
	testworld.Must(w.T, err)
}
