package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// A blob of an account's first connect is for generation 0, as is an entry that
// somebody has deleted. Whoever saw the revocation takes it for what it is.
func TestAttack04_RecoveryBlobRevivesNothingInADeletedEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m, k := w.NewProcess(), testworld.Account("trackmania", "alice")
		_ = w.NewProcess(testworld.WithStore(&fullStore{Store: w.Store})).
			Connect(deadline(t, testworld.CallerTimeout), k, w.Code("trackmania", "alice"))
		blob := recoveryIn(w.Log.String())
		if blob == "" {
			t.Fatalf("log = %s, want a recovery blob in it", w.Log.String())
		}
		time.Sleep(mint.LeaseTTL)
		_, _, err := m.Revoke(t.Context(), k)
		testworld.Must(t, err)
		testworld.Must(t, w.Store.Delete(t.Context(), k))
		if _, err := m.Recover(t.Context(), "trackmania", blob); !testworld.HasCode(err, api.InvalidRequest) {
			t.Errorf(
				"Recover() into an entry that was deleted after its revocation = %v, want %s",
				err,
				api.InvalidRequest,
			)
		}
		if after := w.Entry(k); len(after.Sealed) > 0 {
			t.Errorf("Entry(%s) holds %d bytes, want the revoked grant gone", k, len(after.Sealed))
		}
	})
}
