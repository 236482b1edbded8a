package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/rotate"
)

func TestTheProviderIsNamedAsTheOriginOnlyByThoseWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.instance()
		if became, err := m.RenewNow(t.Context(), key("minut")); became != rotate.Renewed {
			t.Fatal(became, err)
		}
		for i := range 5 {
			if got := mustToken(t, m, key("minut"), mint.Want{}); got.Origin != records.Memory {
				t.Errorf("vend %d: from %s", i, got.Origin)
			}
			time.Sleep(time.Second)
		}
		if e := w.entry("minut"); !e.AskedAt.Equal(e.IssuedAt) {
			t.Errorf("asked at %v, noted %v", e.IssuedAt, e.AskedAt)
		}
	})
}
