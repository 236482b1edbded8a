package rotate_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

// invoke runs one worker, as the schedule invokes it.
func (w *world) invoke(r *rotate.Rotator, payload string) (report rotate.Report) {
	w.T.Helper()
	answer, err := r.Invoke(w.T.Context(), []byte(payload))
	if err == nil {
		err = json.Unmarshal(answer, &report)
	}
	if err != nil {
		w.T.Fatalf("Invoke(%s) = %s, %v, want a report", payload, answer, err)
	}
	return report
}

// workers runs the workers with these numbers, each in its own process.
func (w *world) workers(of int, numbers ...int) (renewed int) {
	w.T.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, worker := range numbers {
		r := w.NewRotator(w.NewProcess())
		all.Go(func() {
			report := w.invoke(r, fmt.Sprintf(`{"worker":%d,"of":%d}`, worker, of))
			mu.Lock()
			defer mu.Unlock()
			renewed += report.Renewed
		})
	}
	all.Wait()
	return renewed
}

// Workers divide what is due. A worker that is invoked twice sends no request
// twice. What a missing worker leaves is another's in the next minute.
func TestWorkersDivideWhatIsDue(t *testing.T) {
	for of, numbers := range map[int][]int{1: {1}, 2: {1, 2}, 4: {1, 2, 3, 4, 4}, 8: {1, 2, 3, 4, 5, 6, 7, 8}} {
		t.Run(fmt.Sprint(of), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, testworld.Config{})
				const credentials = 60
				for i := range credentials {
					w.Put(fmt.Sprintf("c%02d", i), "minut", map[string]any{"keep_warm": true})
				}
				w.discover()
				renewed, requests := w.workers(of, numbers...), w.TokenRequests("minut")
				if renewed < credentials || requests != credentials {
					t.Errorf("%v of %d workers renewed %d in %d requests, want %d in as many",
						numbers, of, renewed, requests, credentials)
				}
				time.Sleep(50 * time.Minute)
				for range of { // without the first worker
					w.workers(of, numbers[min(1, len(numbers)-1):]...)
					time.Sleep(time.Minute)
				}
				if n := w.TokenRequests("minut"); n != 2*credentials {
					t.Errorf("%d requests once the workers but one renewed for %d minutes, want %d", n, of, 2*credentials)
				}
			})
		})
	}
}

// A provider's concurrency is divided among the workers. One that takes fewer
// than there are workers is a single worker's in any minute.
func TestConcurrencyIsDividedAmongWorkers(t *testing.T) {
	for concurrency, most := range map[int]int{2: 2, 3: 3, 4: 4, 10: 10, 32: 32} {
		t.Run(fmt.Sprint(concurrency), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, testworld.Config{})
				known, _ := catalog.Get("minut")
				limited := *known
				limited.Schema, limited.Name, limited.Renew.Concurrency = "", "", concurrency
				for i := range 40 {
					w.Put(fmt.Sprintf("c%02d", i), "minut", map[string]any{
						"keep_warm": true, "provider": nil, "descriptor": limited,
					})
				}
				w.discover()
				testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: 100 * time.Millisecond}))
				for range 5 {
					w.workers(4, 1, 2, 3, 4)
					time.Sleep(time.Minute)
				}
				got := w.Providers.Stats().Providers["minut"]
				if got.TokenRequests != 40 || got.ConcurrentMax > most || got.ConcurrentMax < most/4 {
					t.Errorf("%d requests, %d at once; want 40, %d at most", got.TokenRequests, got.ConcurrentMax, most)
				}
			})
		})
	}
}

// discover makes a discovery.
func (w *world) discover() {
	w.T.Helper()
	if _, err := w.rotator.Discover(w.T.Context()); err != nil {
		w.T.Fatalf("Discover() = %v, want no error", err)
	}
}
