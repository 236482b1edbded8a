package functions_test

import (
	"flag"
	"fmt"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

var due = flag.Int("due", usualDue, "how many credentials are due for four workers")

// Four workers, each a process of the function, renew what is due: each
// credential once, with no more calls for each than a single worker makes.
func TestFourWorkersRenewEachOnce(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	for i := range *due {
		h.put(fmt.Sprintf("c%05d", i), "minut", map[string]any{"keep_warm": true})
	}
	h.start("rotate")
	// A discovery that runs out of time is continued by the next. One whose
	// write was answered too late does not count what it has learned.
	for n, learned := 0, -1; learned != 0 && n < 20; n++ {
		got := h.discover()
		t.Logf("discover() = %+v", got)
		if learned = got.Learnt; got.Error != "" {
			learned = -1
		}
	}
	const workers = 4
	for range workers - 1 {
		h.start("rotate")
	}
	h.take("rotate")
	passes := make([]pass, workers)
	renewed := 0
	// Workers that begin in two different minutes have shares that leave some
	// entries out. Those are a worker's in the next round.
	for round := 0; renewed < *due && round < 10; round++ {
		var all sync.WaitGroup
		for i := range passes {
			all.Go(func() { passes[i] = h.rotate(fmt.Appendf(nil, `{"worker":%d,"of":%d}`, i+1, workers)) })
		}
		all.Wait()
		for _, p := range passes {
			renewed += p.Renewed
			if p.Error != "" || p.Failed > 0 {
				t.Errorf("worker = %+v, want nothing failed", p)
			}
		}
	}
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != *due || renewed != *due {
		t.Errorf("%d renewed in %d requests, want %d in as many", renewed, n, *due)
		for i := range *due {
			name := fmt.Sprintf("c%05d", i)
			if e := h.item(name, "-"); e["sealed"] == nil {
				t.Errorf("the entry of %s = %v, want a token in it", name, e)
			}
		}
	}
	store, rest := h.take("rotate")
	t.Logf("calls: DynamoDB %v, others %v", store, rest)
	// A process that takes longer than a moment for a row reads it again.
	if store["UpdateItem"] != 2**due || store["BatchGetItem"] > 2**due ||
		store["Query"] > 10*workers*2*dynamo.Shards || rest["GetSecretValue"] > *due {
		t.Errorf("calls to DynamoDB %v and others %v, want 2 UpdateItem, 1 GetSecretValue and 1 or 2 BatchGetItem for each of %d",
			store, rest, *due)
	}
}
