package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
)

func TestTheProviderIsNamedAsTheOriginOnlyByThoseWhoWaited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m := w.NewProcess()
		testworld.Must(t, m.RenewNow(t.Context(), testworld.Key("minut")))
		for i := range 5 {
			if got := w.Token(m, testworld.Key("minut")); got.Origin != records.Memory {
				t.Errorf("Token() number %d comes from %s, want memory", i, got.Origin)
			}
			time.Sleep(time.Second)
		}
		if e := w.Entry(testworld.Key("minut")); !e.AskedAt.Equal(e.IssuedAt) {
			t.Errorf("AskedAt = %v, want %v", e.AskedAt, e.IssuedAt)
		}
	})
}
