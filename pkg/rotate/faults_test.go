package rotate_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

func TestFault04_CredentialsMadeTogetherAreNotRenewedTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		const credentials, cycles = 1000, 8
		for i := range credentials {
			w.put(fmt.Sprintf("c%03d", i), "minut", map[string]any{"keep_warm": true})
		}
		asked := func() int { return w.sim.Stats().Providers["minut"].TokenRequests }
		w.tick()
		if n := asked(); n != credentials {
			t.Fatalf("%d requests in the first pass, want %d", n, credentials)
		}
		var perMinute []int
		// a token of an hour is renewed after 45 to 48 minutes
		for before := asked(); len(perMinute) < cycles*48; before = asked() {
			time.Sleep(time.Minute)
			w.tick()
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
		w := newWorld(t, time.Minute, simulator.Options{})
		const credentials = 50
		for i := range credentials {
			w.put(fmt.Sprintf("c%02d", i), "minut", map[string]any{"keep_warm": true})
		}
		w.tick()
		time.Sleep(50 * time.Minute) // all are due
		w.sim.Reset()
		if err := w.sim.SetFault("minut", simulator.Fault{Delay: 300 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for _, rotator := range []*rotate.Rotator{w.rotator, {Mint: w.vend, Store: w.store}} {
			both.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if r, err := rotator.Run(ctx); err != nil || r.Failed > 0 || r.Left > 0 {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		both.Wait()
		if n := w.sim.Stats().Providers["minut"].TokenRequests; n != credentials {
			t.Errorf("%d requests, want %d", n, credentials)
		}
	})
}

func TestFault43_AProviderThatHangsHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{Lifetime: 100 * time.Second})
		const each = 200
		for i := range each {
			w.put(fmt.Sprintf("healthy%03d", i), "minut", map[string]any{"keep_warm": true})
			w.put(fmt.Sprintf("hanging%03d", i), "movemint", map[string]any{"keep_warm": true})
		}
		if err := w.sim.SetFault("movemint", simulator.Fault{Delay: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
		var passes sync.WaitGroup
		begin := func() {
			passes.Go(func() { w.tick() })
		}
		begin()
		stale, slow := 0, time.Duration(0)
		for second := range 5 * 60 {
			time.Sleep(time.Second)
			if second == 4 { // a request that hangs takes 10 seconds
				for i := range each {
					if name := fmt.Sprintf("healthy%03d", i); w.entry(name).Generation == 0 {
						t.Fatalf("%s waits for those that hang", name)
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
			t.Errorf("%d vends of healthy credentials were stale, the slowest took %v", stale, slow)
		}
	})
}

func TestFault33_RotationGoesOnAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		w.put("minut", "minut", map[string]any{"keep_warm": true})
		w.tick()
		if err := w.sim.SetFault("minut", simulator.Fault{Status: http.StatusServiceUnavailable}); err != nil {
			t.Fatal(err)
		}
		for range 3 * 60 {
			time.Sleep(time.Minute)
			w.tick()
		}
		if n := w.sim.Stats().Providers["minut"].TokenRequests; n > 40 {
			t.Errorf("%d requests in about two hours of outage", n)
		}
		if err := w.sim.SetFault("minut", simulator.Fault{}); err != nil {
			t.Fatal(err)
		}
		for range 17 { // the longest back-off and a tick
			time.Sleep(time.Minute)
			w.tick()
		}
		if e := w.entry("minut"); !e.Failure.IsZero() || !e.ExpiresAt.After(time.Now()) {
			t.Errorf("not renewed after the outage: %+v", e.Failure)
		}
	})
}

func TestFault58_EveryPassIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, time.Minute, simulator.Options{})
		var out bytes.Buffer
		w.rotator.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(&out, nil)), Metrics: "tokenvend/test"}
		for range 3 { // with nothing to do
			w.tick()
		}
		if beats := strings.Count(out.String(), `"Passes":1`); beats != 3 {
			t.Errorf("%d beats of 3 passes:\n%s", beats, out.String())
		}
	})
}

func TestFault61_AnEmptyListingRemovesNothing(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, time.Minute, simulator.Options{})
			w.rotator.Mint.Registry.TrustsEmpty = trusted // as for a folder, and not for Secrets Manager
			w.put("minut", "minut", nil)
			w.tick()
			w.token("minut")
			if err := w.secrets.Remove("minut"); err != nil {
				t.Fatal(err)
			}
			gone := w.tick().Gone == 1
			if gone != trusted {
				t.Errorf("trusted %t, gone %t", trusted, gone)
			}
			if !trusted {
				w.token("minut")
			}
		})
	}
}
