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
	h.stampede()
}

func TestManyAtOnceInOneProcess(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.startProgram(bootstrap(t, build{function: "vend", race: true}), "vend", "AWS_LAMBDA_MAX_CONCURRENCY=8")
	h.stampede()
}

// stampede queues 400 invocations for a cold key of a provider that takes its time.
func (h *house) stampede() {
	h.t.Helper()
	h.put("trackmania", "trackmania", nil)
	if err := h.sim.SetFault("trackmania", simulator.Fault{Delay: 300 * time.Millisecond}); err != nil {
		h.t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	vended := map[string]int{}
	began := time.Now()
	for range herd {
		all.Go(func() {
			answer, refused := h.direct("", api.Request{Credential: "trackmania"})
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
	h.t.Logf("%d invocations in %v", herd, time.Since(began).Round(time.Millisecond))
	if n := h.sim.Stats().Providers["trackmania"]; n.TokenRequests != 1 || n.RefreshRequests != 0 {
		h.t.Errorf("%d token requests and %d refreshes, want 1 and 0", n.TokenRequests, n.RefreshRequests)
	}
	if len(vended) != 1 || vended[h.token("trackmania").Fingerprint] != herd {
		h.t.Errorf("answers by fingerprint: %v, want one for all", vended)
	}
}
