package mint_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// endingStore ends a context at the nth list of a credential's rows.
type endingStore struct {
	store.Store
	mu    sync.Mutex
	lists map[string]int // by credential
	nth   int
	end   context.CancelFunc
}

func (s *endingStore) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	s.mu.Lock()
	if s.lists[partition]++; partition != token.RecordPartition && len(s.lists) == s.nth {
		s.end()
	}
	s.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s.Store.List(ctx, partition, after, limit)
}

// A migration that is ended continues where it was, and counts what was done
// before.
func TestMigrationContinues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		const credentials = 150
		first := w.formatted(row.Format2)
		for n := range credentials {
			name := fmt.Sprintf("a%03d", n)
			w.Put(name, "minut", nil)
			_, err := first.Terms(t.Context(), name)
			testworld.Must(t, err)
		}
		ctx, end := context.WithCancel(t.Context())
		s := &endingStore{Store: w.Store, lists: map[string]int{}, nth: 130, end: end}
		m := w.NewProcess(testworld.WithStore(s), func(c *mint.Config) { c.RowFormat = row.FormatMigrate3 })
		if done, err := m.Migrate(ctx); err == nil || done.Looked {
			t.Errorf("Migrate() that is ended = %+v, %v, want an error", done, err)
		}
		done, err := m.Migrate(t.Context())
		if err != nil || !done.Looked || done.Rewritten < 100 || done.Left != 0 {
			t.Errorf("Migrate() again = %+v, %v, want all looked at and none left", done, err)
		}
		if n := s.lists["a000"]; n != 1 {
			t.Errorf("the rows of the first credential were listed %d times, want once", n)
		}
		if got := formats(w, token.RecordKey("a000"), token.RecordKey("a149")); !slices.Equal(got, []int{3, 3}) {
			t.Errorf("formats() = %v, want 3 of the first and of the last", got)
		}
	})
}

// A credential whose rows cannot be read is left, and the others are migrated.
func TestMigrationPassesOverADamagedRow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		w.Token(w.formatted(row.Format2), testworld.Key("minut"))
		w.Token(w.formatted(row.Format2), testworld.Key("monta"))
		s := &unreadableStore{Store: w.Store, partition: "minut"}
		m := w.NewProcess(testworld.WithStore(s), func(c *mint.Config) { c.RowFormat = row.FormatMigrate3 })
		if done, err := m.Migrate(t.Context()); err != nil || done.Left != 1 || done.Rewritten != 3 {
			t.Errorf("Migrate() = %+v, %v, want one left and the others rewritten", done, err)
		}
		if got := formats(w, testworld.Key("minut"), testworld.Key("monta")); !slices.Equal(got, []int{2, 3}) {
			t.Errorf("formats() = %v, want 2 of the entry that was not read, and 3", got)
		}
		s.partition = ""
		if done, err := m.Migrate(t.Context()); err != nil || done.Left != 0 || done.Rewritten != 1 {
			t.Errorf("Migrate() again = %+v, %v, want the one that was left rewritten", done, err)
		}
	})
}

// unreadableStore has a partition that cannot be listed.
type unreadableStore struct {
	store.Store
	partition string
}

func (s *unreadableStore) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	if partition == s.partition {
		return nil, store.ErrUnreadable
	}
	return s.Store.List(ctx, partition, after, limit)
}

// movingStore is a store whose credential records can be moved, except one.
type movingStore struct {
	store.Store
	stuck string // "": none
	calls int
}

func (s *movingStore) MoveRecords(_ context.Context, report func(string, error)) (int, error) {
	s.calls++
	if s.stuck != "" {
		report(s.stuck, store.ErrUnreadable)
		return 0, nil
	}
	return 1, nil
}

// Records are moved with the formats that migrate, and with the fourth. A
// record that cannot be moved is left, and tried again by the next migration.
func TestMigrationMovesRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		for format, moves := range map[row.Format]bool{
			row.Format1: false, row.FormatMigrate: true, row.Format2: false, row.FormatMigrate3: true,
			row.Format3: false, row.FormatMigrate4: true, row.Format4: true,
		} {
			s := &movingStore{Store: w.Store, stuck: "minut"}
			m := w.NewProcess(testworld.WithStore(s), func(c *mint.Config) { c.RowFormat = format })
			done, err := m.Migrate(t.Context())
			if err != nil || done.Looked != moves || (done.Left == 1) != moves {
				t.Errorf("format %s: Migrate() = %+v, %v, want one record left: %t", format, done, err, moves)
			}
			s.stuck = ""
			done, err = m.Migrate(t.Context())
			if err != nil || done.Left != 0 || (done.Rewritten == 1) != moves {
				t.Errorf("format %s: Migrate() again = %+v, %v, want one record moved: %t", format, done, err, moves)
			}
			if _, err := m.Migrate(t.Context()); err != nil || moves && s.calls != 2 {
				t.Errorf("format %s: Migrate() moved records %d times, %v, want 2: none was left", format, s.calls, err)
			}
		}
	})
}
