package functions_test

import (
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

const callers = 400

func TestFault01_ManyColdInstancesAtOnce(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	for range 8 {
		h.start("vend")
	}
	h.put("trackmania", "trackmania", nil)
	h.invokeAtOnce("trackmania")
	h.makeKnownToAll("minut", 8)
	h.invokeAtOnce("minut")
}

func TestManyAtOnceInOneProcess(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.startProgram(bootstrap(t, build{function: "vend", race: detectRaces}), "vend", "AWS_LAMBDA_MAX_CONCURRENCY=8")
	h.put("trackmania", "trackmania", nil)
	h.invokeAtOnce("trackmania")
	h.makeKnownToAll("minut", 1)
	h.invokeAtOnce("minut")
}

// makeKnownToAll has each of the processes read the terms of a credential that
// has no token. So the next invocations request the lease at the same moment.
func (h *installation) makeKnownToAll(provider string, processes int) {
	h.t.Helper()
	h.put(provider, provider, nil)
	var all sync.WaitGroup
	for range processes {
		all.Go(func() { h.expect("admin", api.Request{Credential: provider, Action: api.Status}, "") })
	}
	all.Wait()
}

// invokeAtOnce queues 400 invocations for a key without a token at a slow
// provider.
func (h *installation) invokeAtOnce(provider string) {
	h.t.Helper()
	if err := h.sim.SetFault(provider, simulator.Fault{Delay: 300 * time.Millisecond}); err != nil {
		h.t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	vended := map[string]int{}
	began := time.Now()
	for range callers {
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
	h.t.Logf("%s: %d invocations in %v", provider, callers, time.Since(began).Round(time.Millisecond))
	if n := h.sim.Stats().Providers[provider]; n.TokenRequests != 1 || n.RefreshRequests != 0 {
		h.t.Errorf("%s had %d token requests and %d refreshes, want 1 and 0", provider, n.TokenRequests,
			n.RefreshRequests)
	}
	if len(vended) != 1 || vended[h.token(provider).Fingerprint] != callers {
		h.t.Errorf("answers by fingerprint = %v, want one for all", vended)
	}
}
