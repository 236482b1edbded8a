package functions_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

const herd = 400

func TestFault01_ManyColdInstancesAtOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	for range 8 {
		h.start("vend")
	}
	h.put("trackmania", "trackmania", nil)
	h.stampede("trackmania")
	h.meetAtTheStore("minut", 8)
	h.stampede("minut")
}

func TestManyAtOnceInOneProcess(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.startProgram(bootstrap(t, build{function: "vend", race: detectRaces}), "vend", "AWS_LAMBDA_MAX_CONCURRENCY=8")
	h.put("trackmania", "trackmania", nil)
	h.stampede("trackmania")
	h.meetAtTheStore("minut", 1)
	h.stampede("minut")
}

// meetAtTheStore lets each of the processes know a credential of which there is no token: the next to ask all reach for the lease at the same moment, and not each after it has read the secret.
func (h *house) meetAtTheStore(provider string, processes int) {
	h.t.Helper()
	h.put(provider, provider, nil)
	var all sync.WaitGroup
	for range processes {
		all.Go(func() { h.expect("admin", api.Request{Credential: provider, Action: api.Status}, "") })
	}
	all.Wait()
}

// stampede queues 400 invocations for a cold key of a provider that takes its time.
func (h *house) stampede(provider string) {
	h.t.Helper()
	if err := h.sim.SetFault(provider, simulator.Fault{Delay: 300 * time.Millisecond}); err != nil {
		h.t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	vended := map[string]int{}
	began := time.Now()
	for range herd {
		all.Go(func() {
			answer, refused := h.direct("admin", api.Request{Credential: provider})
			mu.Lock()
			defer mu.Unlock()
			if refused != nil {
				vended[refused.Error()]++
				return
			}
			vended[read[api.Token](h.t, answer).Fingerprint]++
		})
	}
	all.Wait()
	h.t.Logf("%s: %d invocations in %v", provider, herd, time.Since(began).Round(time.Millisecond))
	if n := h.sim.Stats().Providers[provider]; n.TokenRequests != 1 || n.RefreshRequests != 0 {
		h.t.Errorf("%d token requests and %d refreshes, want 1 and 0", n.TokenRequests, n.RefreshRequests)
	}
	if len(vended) != 1 || vended[h.token(provider).Fingerprint] != herd {
		h.t.Errorf("answers by fingerprint: %v, want one for all", vended)
	}
}
