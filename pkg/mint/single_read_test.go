package mint_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// readStore notes how many rows each read is of.
type readStore struct {
	store.Store
	rows []int
}

func (s *readStore) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	s.rows = append(s.rows, len(keys))
	return s.Store.Get(ctx, c, keys...)
}

// newReader returns a process that remembers the record of miden, and its
// store. Each of so many keys has a token in the store.
func newReader(w *world, keys int) (*testworld.Process, *readStore, []token.Key) {
	var all []token.Key
	other := w.NewProcess()
	for n := range keys {
		all = append(all, token.Key{Credential: "miden", Variant: token.NewVariant("", "", fmt.Sprint("scope-", n))})
		w.TokenThat(other, all[n], mint.Want{Proactive: true})
	}
	s := &readStore{Store: w.Store}
	p := w.NewProcess(testworld.WithStore(s))
	w.Token(p, all[0])
	return p, s, all
}

// checkRows fails the test unless the reads since the last call were of so many
// rows each.
func (s *readStore) checkRows(t *testing.T, what string, want ...int) {
	t.Helper()
	if !slices.Equal(s.rows, want) {
		t.Errorf("%s: reads of %v rows, want %v", what, s.rows, want)
	}
	s.rows = nil
}

func TestEntryIsReadAloneWhileRecordIsFresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		p, s, keys := newReader(w, 4)
		s.checkRows(t, "the first vend", 2)
		time.Sleep(records.Fresh - time.Second)
		if got := w.Token(p, keys[1]); got.Origin != records.Store {
			t.Errorf("Token() = %v, want one from the store", got.Origin)
		}
		s.checkRows(t, "a vend while the record is fresh", 1)
		time.Sleep(time.Second)
		w.Token(p, keys[2])
		s.checkRows(t, "a vend when the record is a minute old", 2)
		w.TokenThat(p, keys[3], mint.Want{Proactive: true})
		s.checkRows(t, "rotate", 2)
	})
}

// What other processes have noted in the record is known before a request is
// sent, also where the record in memory is fresh.
func TestRecordIsReadBeforeAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, simulator.Options{})
		p, s, keys := newReader(w, 2)
		entry := w.Entry(keys[1])
		testworld.Must(t, w.Store.Delete(t.Context(), keys[1]))
		record := w.Entry(token.RecordKey("miden"))
		record.CooldownUntil = time.Now().Add(time.Hour)
		if _, err := w.Store.Replace(t.Context(), record, record); err != nil {
			t.Fatal(err)
		}
		before := w.TokenRequests("miden")
		s.rows = nil
		w.Refused(p, entry.Key, mint.Want{}, api.ProviderUnavailable)
		if n := w.TokenRequests("miden") - before; n != 0 {
			t.Errorf("TokenRequests(miden) during a cooldown that another process noted = %d, want 0", n)
		}
		s.checkRows(t, "a vend of a token that nobody has", 1, 2)
	})
}
