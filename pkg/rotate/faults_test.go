package rotate_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

func TestFault04_CredentialsMadeTogetherAreNotRenewedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		credentials, cycles := 1000, testworld.Count(8, 2)
		for i := range credentials {
			w.Put(fmt.Sprintf("c%03d", i), "minut", map[string]any{"keep_warm": true})
		}
		asked := func() int { return w.TokenRequests("minut") }
		w.pass()
		if n := asked(); n != credentials {
			t.Fatalf("%d requests in the first pass, want %d", n, credentials)
		}
		var perMinute []int
		// a token of an hour is renewed after 45 to 48 minutes
		for before := asked(); len(perMinute) < cycles*48; before = asked() {
			time.Sleep(time.Minute)
			w.pass()
			perMinute = append(perMinute, asked()-before)
		}
		for cycle := range slices.Chunk(perMinute, 48) {
			t.Log(cycle)
		}
		later := perMinute[48:]
		sum := 0
		for _, n := range later {
			sum += n
		}
		mean := float64(sum) / float64(len(later))
		if peak := slices.Max(later); float64(peak) > 3*mean {
			t.Errorf(
				"from the second cycle on the peak is %d a minute, %.1f times the mean of %.1f; want 3 at most", peak,
				float64(peak)/mean, mean,
			)
		}
	})
}

func TestFault05_TwoPassesAtOnceAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		const credentials = 50
		for i := range credentials {
			w.Put(fmt.Sprintf("c%02d", i), "minut", map[string]any{"keep_warm": true})
		}
		w.pass()
		time.Sleep(50 * time.Minute) // all are due
		w.Providers.Reset()
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: 300 * time.Millisecond}))
		var both sync.WaitGroup
		for _, rotator := range []*rotate.Rotator{w.rotator, w.NewRotator(w.vend)} {
			both.Go(func() {
				if r := w.Pass(rotator); r.Failed > 0 || r.Left > 0 {
					t.Errorf("Run() = %+v, want nothing failed or left", r)
				}
			})
		}
		both.Wait()
		if n := w.TokenRequests("minut"); n != credentials {
			t.Errorf("%d requests, want %d", n, credentials)
		}
	})
}

func TestFault43_AProviderThatHangsHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{Simulator: simulator.Options{Lifetime: 100 * time.Second}})
		const each = 200
		for i := range each {
			w.Put(fmt.Sprintf("healthy%03d", i), "minut", map[string]any{"keep_warm": true})
			w.Put(fmt.Sprintf("hanging%03d", i), "movemint", map[string]any{"keep_warm": true})
		}
		testworld.Must(t, w.Providers.SetFault("movemint", simulator.Fault{Delay: 30 * time.Second}))
		var passes sync.WaitGroup
		begin := func() {
			passes.Go(func() { w.pass() })
		}
		begin()
		stale, slow := 0, time.Duration(0)
		for second := range 5 * 60 {
			time.Sleep(time.Second)
			if second == 4 { // a request that hangs takes 10 seconds
				for i := range each {
					if name := fmt.Sprintf("healthy%03d", i); w.Entry(testworld.Key(name)).Generation == 0 {
						t.Fatalf("Entry(%s) has no token, want it not to wait for those that hang", name)
					}
				}
			}
			if second%60 == 59 {
				begin()
			}
			for i := second % 10; i < each && second > 15; i += 10 {
				began := time.Now()
				got := w.token(fmt.Sprintf("healthy%03d", i))
				slow = max(slow, time.Since(began))
				if got.Stale || got.Token.Left(time.Now()) <= 0 {
					stale++
				}
			}
		}
		passes.Wait()
		if stale > 0 || slow > 100*time.Millisecond {
			t.Errorf("%d vends of healthy credentials were stale, the slowest took %v; want 0, 100ms", stale, slow)
		}
	})
}

func TestFault33_RotationGoesOnAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		w.Put("minut", "minut", map[string]any{"keep_warm": true})
		w.pass()
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Status: http.StatusServiceUnavailable}))
		for range 3 * 60 {
			time.Sleep(time.Minute)
			w.pass()
		}
		if n := w.TokenRequests("minut"); n > 40 {
			t.Errorf("%d requests in three hours of outage, want 40 at most", n)
		}
		testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{}))
		for range 17 { // the longest back-off and a tick
			time.Sleep(time.Minute)
			w.pass()
		}
		if e := w.Entry(testworld.Key("minut")); !e.Failure.IsZero() || !e.ExpiresAt.After(time.Now()) {
			t.Errorf("Entry(minut) after the outage: failure %+v, ends at %v; want it renewed", e.Failure, e.ExpiresAt)
		}
	})
}

func TestFault58_EveryPassIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, testworld.Config{})
		var out bytes.Buffer
		w.rotator.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(&out, nil)), Metrics: "tokenvend/test"}
		for range 3 { // with nothing to do
			w.pass()
		}
		if beats := strings.Count(out.String(), `"Passes":1`); beats != 3 {
			t.Errorf("3 passes wrote Passes %d times, want 3:\n%s", beats, out.String())
		}
	})
}

func TestFault61_AnEmptyListingRemovesNothing(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, testworld.Config{})
			w.rotator.Mint.Registry.TrustsEmpty = trusted // as for a folder, and not for Secrets Manager
			w.Put("minut", "minut", nil)
			w.pass()
			w.token("minut")
			testworld.Must(t, w.Secrets.Remove("minut"))
			gone := w.pass().Gone == 1
			if gone != trusted {
				t.Errorf("Run() of an empty list, trusted %t: gone %t, want %t", trusted, gone, trusted)
			}
			if !trusted {
				w.token("minut")
			}
		})
	}
}
