package mint_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// A thousand grants of two credentials at one host, an hour's outage and its
// end: one request in 15 seconds at most while it lasts, and everybody served
// within a minute afterwards, not all at once.
func TestOutageIsProbedByOneOfAThousandGrants(t *testing.T) {
	const name = "trackmania"
	grants := testworld.Count(1000, 100)
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		id, secret := w.Providers.ClientFor(name)
		w.PutSecret("second", map[string]any{"provider": name, "client_id": id, "client_secret": secret})
		connector := w.NewProcess()
		keys := make([]token.Key, grants)
		for i := range keys {
			keys[i] = testworld.Account([]string{name, "second"}[i%2], fmt.Sprintf("person-%d", i))
			testworld.Must(t, connector.Connect(t.Context(), keys[i], w.Code(name, keys[i].Variant.Account)))
		}
		instances := []*testworld.Process{w.NewProcess(), w.NewProcess()}
		rotator := &rotate.Rotator{Mint: w.NewProcess().Mint, Store: w.Store}
		var passes sync.WaitGroup
		tick := func() {
			passes.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				_, _ = rotator.Run(ctx)
			})
		}
		minute := func(served map[token.Key]bool) { // every grant is asked for once
			tick()
			for i, k := range keys {
				time.Sleep(time.Minute / time.Duration(grants))
				if _, err := instances[i/10%2].Token(t.Context(), k, mint.Want{}); err == nil {
					served[k] = true
				} else if testworld.HasCode(err, api.ReauthorizationRequired) {
					t.Fatalf("Token(%s) in an outage = %v, want its grant alive", k, err)
				}
			}
		}
		time.Sleep(45 * time.Minute)
		w.Providers.Reset()
		testworld.Must(t, w.Providers.SetFault(name, simulator.Fault{Status: 502}))
		for range 60 {
			minute(map[token.Key]bool{})
		}
		passes.Wait()
		during := w.Providers.Stats().Providers[name].RefreshRequests
		if most := int(time.Hour/(15*time.Second)) + 3*32; during > most || during < 60 {
			t.Errorf(
				"%d requests in an hour's outage, want 60 to %d: one in 15 s, and those under way when it began",
				during,
				most,
			)
		}
		w.Providers.Reset()
		testworld.Must(t, w.Providers.SetFault(name, simulator.Fault{Delay: 300 * time.Millisecond}))
		time.Sleep(15 * time.Second)
		served := map[token.Key]bool{}
		var all sync.WaitGroup
		var mu sync.Mutex
		for i, k := range keys { // all at once
			all.Go(func() {
				for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(5 * time.Second) {
					ctx, cancel := context.WithTimeout(t.Context(), testworld.CallerTimeout)
					_, err := instances[i%2].Token(ctx, k, mint.Want{})
					cancel()
					if err == nil {
						mu.Lock()
						served[k] = true
						mu.Unlock()
						return
					}
				}
			})
		}
		all.Wait()
		c := w.Providers.Stats().Providers[name]
		t.Logf("%d requests in the outage, %d after it, at most %d at once", during, c.RefreshRequests, c.ConcurrentMax)
		if len(served) != grants || c.RefreshRequests > grants+100 || c.ConcurrentMax > 2*32+2 {
			t.Errorf(
				"after the outage: %d served, %d requests, %d at once; want %d, no more than %d, and no more than 66",
				len(served),
				c.RefreshRequests,
				c.ConcurrentMax,
				grants,
				grants+100,
			)
		}
		if n := w.Alarms("CredentialsFailing"); n != 0 || c.ReusedEarly != 0 {
			t.Errorf("%d alarms, %d sent again early; want 0 and 0", n, c.ReusedEarly)
		}
	})
}
