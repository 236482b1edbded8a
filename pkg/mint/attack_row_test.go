package mint_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// badRows is a store in which somebody has put rows that are no entries among
// the credential records.
type badRows struct {
	store.Store
	sorts []string
}

// List returns the error of a bad row that stands among those of the page.
func (s badRows) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	page, err := s.Store.List(ctx, partition, after, limit)
	for _, sort := range s.sorts {
		isIn := sort > after && (len(page) < limit || sort < page[limit-1].Key.SortKey())
		if err == nil && partition == token.RecordPartition && isIn {
			return nil, fmt.Errorf("listing: %w", &store.RowError{Sort: sort, Err: store.ErrUnreadable})
		}
	}
	return page, err
}

// One such row kept every change of a secret from being seen: a credential that
// was removed was vended on, and none could be listed.
func TestAttack28_OneBadRowHidesNoOther(t *testing.T) {
	for _, sorts := range [][]string{{"%"}, {"m"}, {"zz"}, {"%", "a", "m", "mm", "zz"}} {
		t.Run(fmt.Sprint(sorts), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, simulator.Options{})
				for i := range 120 {
					w.Put(fmt.Sprintf("m%d", i), "minut", nil)
				}
				m := w.NewProcess(testworld.WithStore(badRows{w.Store, sorts}))
				_, _, err := m.Discover(t.Context())
				testworld.Must(t, err)
				testworld.Must(t, w.Secrets.Remove("m7"))
				w.Put("new", "minut", nil)
				learned, deleted, err := m.Discover(t.Context())
				if err != nil || learned != 1 || deleted != 1 {
					t.Errorf("Discover() = %d learned, %d deleted, %v, want 1 and 1", learned, deleted, err)
				}
				all, next, err := operate.New(m.Mint).List(t.Context(), "", 1000)
				if err != nil || next != "" || len(all) < 120 {
					t.Errorf("List() = %d credentials, next %q, %v, want all", len(all), next, err)
				}
				if w.Alarms("IntegrityFailures") == 0 {
					t.Error("0 alarms IntegrityFailures, want one: a row is no entry")
				}
			})
		})
	}
}
