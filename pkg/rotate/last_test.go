package rotate_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// slowReads takes a moment for each read.
type slowReads struct{ store.Store }

func (s slowReads) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	time.Sleep(400 * time.Millisecond)
	return s.Store.Get(ctx, c, keys...)
}

// An entry that a pass begins with has time for its reads and a whole mint.
// What there is no time for is left, and not counted as failed.
func TestLastRenewalOfAPassHasTime(t *testing.T) {
	for delay := time.Second; delay < 3*time.Second; delay += 200 * time.Millisecond {
		t.Run(delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, testworld.Config{})
				w.rotator = w.NewRotator(w.NewProcess(func(c *mint.Config) { c.Store = slowReads{c.Store} }))
				known, _ := catalog.Get("minut")
				one := *known
				one.Schema, one.Name, one.Renew.Concurrency = "", "", 1
				const credentials = 40
				for i := range credentials {
					w.Put(fmt.Sprintf("c%02d", i), "minut", map[string]any{
						"keep_warm": true, "provider": nil, "descriptor": one,
					})
				}
				testworld.Must(t, w.Providers.SetFault("minut", simulator.Fault{Delay: delay}))
				r := w.pass()
				if r.Failed != 0 || r.Left == 0 || r.Renewed+r.Left != credentials {
					t.Errorf("Run() = %+v, want none failed, and those of %d left that are not renewed", r, credentials)
				}
			})
		})
	}
}
