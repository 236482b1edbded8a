package mint_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// A blob of an account's first connect is for generation 0, as is an entry that
// somebody has deleted. Whoever saw the revocation takes it for what it is.
func TestAttack04_RecoveryBlobRevivesNothingInADeletedEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		m, k := w.instance(), account("trackmania", "alice")
		_ = w.instanceOver(&fullStore{Store: w.store}).
			Connect(deadline(t, 29*time.Second), k, w.code("trackmania", "alice"))
		blob := recoveryIn(w.logged())
		if blob == "" {
			t.Fatal("no recovery blob in the log")
		}
		time.Sleep(mint.LeaseTTL)
		_, _, err := m.Revoke(t.Context(), k)
		must(t, err)
		must(t, w.store.Delete(t.Context(), k))
		if _, err := m.Recover(t.Context(), "trackmania", blob); codeOf(err) != api.InvalidRequest {
			t.Errorf(
				"Recover into an entry that was deleted after its revocation = %v, want %s",
				err,
				api.InvalidRequest,
			)
		}
		if after := w.entryOf(k); len(after.Sealed) > 0 {
			t.Error("the revoked grant is in its entry again")
		}
	})
}
