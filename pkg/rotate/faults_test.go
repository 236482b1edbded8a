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
		h := newHouse(t, time.Minute, simulator.Options{})
		const credentials, cycles = 1000, 8
		for i := range credentials {
			h.put(fmt.Sprintf("c%03d", i), "minut", map[string]any{"keep_warm": true})
		}
		asked := func() int { return h.sim.Stats().Providers["minut"].TokenRequests }
		h.tick()
		if n := asked(); n != credentials {
			t.Fatalf("%d requests in the first pass, want %d", n, credentials)
		}
		var perMinute []int
		for before := asked(); len(perMinute) < cycles*48; before = asked() { // an hour's token is renewed after 45 to 48 minutes
			time.Sleep(time.Minute)
			h.tick()
			perMinute = append(perMinute, asked()-before)
		}
		for cycle := range slices.Chunk(perMinute, 48) {
			t.Log(cycle)
		}
		settled := perMinute[48:]
		sum := 0
		for _, n := range settled {
			sum += n
		}
		mean := float64(sum) / float64(len(settled))
		if peak := slices.Max(settled); float64(peak) > 3*mean {
			t.Errorf("from the second cycle on the peak is %d a minute, %.1f times the mean of %.1f; want 3 at most", peak, float64(peak)/mean, mean)
		}
	})
}

func TestFault05_TwoPassesAtOnceAskOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute, simulator.Options{})
		const credentials = 50
		for i := range credentials {
			h.put(fmt.Sprintf("c%02d", i), "minut", map[string]any{"keep_warm": true})
		}
		h.tick()
		time.Sleep(50 * time.Minute) // all are due
		h.sim.Reset()
		if err := h.sim.SetFault("minut", simulator.Fault{Delay: 300 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for _, sweep := range []*rotate.Sweep{h.sweep, {Mint: h.vend, Store: h.store}} {
			both.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if r, err := sweep.Run(ctx); err != nil || r.Failed > 0 || r.Left > 0 {
					t.Errorf("%+v, %v", r, err)
				}
			})
		}
		both.Wait()
		if n := h.sim.Stats().Providers["minut"].TokenRequests; n != credentials {
			t.Errorf("%d requests, want %d", n, credentials)
		}
	})
}

func TestFault43_AProviderThatHangsHoldsUpNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute, simulator.Options{Lifetime: 100 * time.Second})
		const each = 200
		for i := range each {
			h.put(fmt.Sprintf("healthy%03d", i), "minut", map[string]any{"keep_warm": true})
			h.put(fmt.Sprintf("hanging%03d", i), "movemint", map[string]any{"keep_warm": true})
		}
		if err := h.sim.SetFault("movemint", simulator.Fault{Delay: 30 * time.Second}); err != nil {
			t.Fatal(err)
		}
		var passes sync.WaitGroup
		begin := func() {
			passes.Go(func() { h.tick() })
		}
		begin()
		stale, slow := 0, time.Duration(0)
		for second := range 5 * 60 {
			time.Sleep(time.Second)
			if second == 4 { // a request that hangs takes 10 seconds
				for i := range each {
					if name := fmt.Sprintf("healthy%03d", i); h.entry(name).Generation == 0 {
						t.Fatalf("%s waits for those that hang", name)
					}
				}
			}
			if second%60 == 59 {
				begin()
			}
			for i := second % 10; i < each && second > 15; i += 10 {
				began := time.Now()
				got := h.token(fmt.Sprintf("healthy%03d", i))
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
		h := newHouse(t, time.Minute, simulator.Options{})
		h.put("minut", "minut", map[string]any{"keep_warm": true})
		h.tick()
		if err := h.sim.SetFault("minut", simulator.Fault{Status: http.StatusServiceUnavailable}); err != nil {
			t.Fatal(err)
		}
		for range 3 * 60 {
			time.Sleep(time.Minute)
			h.tick()
		}
		if n := h.sim.Stats().Providers["minut"].TokenRequests; n > 40 {
			t.Errorf("%d requests in about two hours of outage", n)
		}
		if err := h.sim.SetFault("minut", simulator.Fault{}); err != nil {
			t.Fatal(err)
		}
		for range 17 { // the longest back-off, and a tick
			time.Sleep(time.Minute)
			h.tick()
		}
		if e := h.entry("minut"); !e.Failure.IsZero() || !e.ExpiresAt.After(time.Now()) {
			t.Errorf("not renewed after the outage: %+v", e.Failure)
		}
	})
}

func TestFault58_EveryPassIsWrittenDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, time.Minute, simulator.Options{})
		var out bytes.Buffer
		h.sweep.Journal = journal.Journal{Log: slog.New(slog.NewJSONHandler(&out, nil)), Metrics: "tokenvend/test"}
		for range 3 { // with nothing to do
			h.tick()
		}
		if beats := strings.Count(out.String(), `"Passes":1`); beats != 3 {
			t.Errorf("%d beats of 3 passes:\n%s", beats, out.String())
		}
	})
}

func TestFault61_AnEmptyListingRemovesNothing(t *testing.T) {
	for _, trusted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := newHouse(t, time.Minute, simulator.Options{})
			h.sweep.Mint.TrustsEmpty = trusted // as a folder is, and Secrets Manager is not
			h.put("minut", "minut", nil)
			h.tick()
			h.token("minut")
			if err := h.secrets.Remove("minut"); err != nil {
				t.Fatal(err)
			}
			gone := h.tick().Gone == 1
			if gone != trusted {
				t.Errorf("trusted %t, gone %t", trusted, gone)
			}
			if !trusted {
				h.token("minut")
			}
		})
	}
}
