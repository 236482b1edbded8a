// Package memory keeps entries in memory, for tests and simulated time: it
// needs no goroutine and no timer.
package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/google/btree"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Store is a [store.Store] whose reads are all strong. It never deletes entries
// and counters by their ForgetAt.
type Store struct {
	mu     sync.Mutex
	rows   map[token.Key]store.Row
	sorted *btree.BTreeG[place] // the keys of rows, by partition
	due    *btree.BTreeG[dueAt] // the keys of rows that are due at some time
	sums   map[counter]int64
}

var _ store.Store = (*Store)(nil)

// degree is the number of children of a node of an index.
const degree = 32

// New returns an empty store.
func New() *Store {
	return &Store{
		rows:   map[token.Key]store.Row{},
		sorted: btree.NewG(degree, func(a, b place) bool { return a.compare(b) < 0 }),
		due: btree.NewG(degree, func(a, b dueAt) bool {
			return cmp.Or(a.since.Compare(b.since), a.place.compare(b.place)) < 0
		}),
		sums: map[counter]int64{},
	}
}

// place is where a store keeps the row of a key.
type place struct {
	partition, sort string
	key             token.Key
}

func placeOf(k token.Key) place { return place{k.PartitionKey(), k.SortKey(), k} }

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.partition, other.partition), cmp.Compare(p.sort, other.sort))
}

// dueAt is since when a row is due.
type dueAt struct {
	since time.Time
	place place
}

// remove removes the row of a key.
func (s *Store) remove(key token.Key) {
	at := placeOf(key)
	s.sorted.Delete(at)
	s.due.Delete(dueAt{s.rows[key].Entry.DueSince(), at})
	delete(s.rows, key)
}

// put adds the row of a key, or replaces it.
func (s *Store) put(key token.Key, row store.Row) {
	s.remove(key)
	s.rows[key] = row
	at := placeOf(key)
	s.sorted.ReplaceOrInsert(at)
	if since := row.Entry.DueSince(); !since.IsZero() {
		s.due.ReplaceOrInsert(dueAt{since, at})
	}
}

// Get implements [store.Reader].
func (s *Store) Get(ctx context.Context, _ store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	entries := make([]store.Entry, len(keys))
	for i, key := range keys {
		entries[i] = s.row(key).Entry.Stored()
	}
	return entries, nil
}

// Due implements [store.Reader]. Of all due entries it returns those that
// expire first.
func (s *Store) Due(ctx context.Context, before time.Time, limit int) ([]store.Due, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []store.Due
	s.due.Ascend(func(at dueAt) bool {
		if at.since.After(before) {
			return false
		}
		due = append(due, s.rows[at.place.key].Entry.Due())
		return true
	})
	slices.SortFunc(due, func(a, b store.Due) int {
		return cmp.Or(
			a.ExpiresAt.Compare(b.ExpiresAt), a.NextAt.Compare(b.NextAt), cmp.Compare(a.Key.String(), b.Key.String()),
		)
	})
	return due[:min(limit, len(due))], nil
}

// List implements [store.Reader].
func (s *Store) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var entries []store.Entry
	s.sorted.AscendGreaterOrEqual(place{partition: partition, sort: after}, func(at place) bool {
		if at.partition != partition || len(entries) == limit {
			return false
		}
		if row := s.rows[at.key]; row.Entry.Revision > 0 && at.sort > after {
			entries = append(entries, row.Entry.Stored())
		}
		return true
	})
	return entries, nil
}

// Acquire implements [store.Store].
func (s *Store) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (l store.Lease, err error) {
	_, err = s.change(ctx, seen.Key, func(r store.Row) (store.Row, error) {
		r, l, err = r.Acquire(seen, time.Now(), ttl)
		return r, err
	})
	return l, err
}

// Commit implements [store.Store].
func (s *Store) Commit(ctx context.Context, l store.Lease, next store.Entry) error {
	_, err := s.change(ctx, l.Entry.Key, func(r store.Row) (store.Row, error) { return r.Commit(l, next) })
	return err
}

// Replace implements [store.Store].
func (s *Store) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	return s.change(ctx, seen.Key, func(r store.Row) (store.Row, error) { return r.Replace(seen, next, time.Now()) })
}

// Touch implements [store.Store].
func (s *Store) Touch(ctx context.Context, key token.Key, asked time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.rows[key]; ok {
		s.put(key, row.Touch(asked))
	}
	return nil
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key token.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(key)
	return nil
}

// change stores the row that decide returns for a key and returns the stored
// entry, also if decide refuses.
func (s *Store) change(
	ctx context.Context, key token.Key, decide func(store.Row) (store.Row, error),
) (store.Entry, error) {
	if err := ctx.Err(); err != nil {
		return store.Entry{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	row, err := decide(s.row(key))
	if err == nil {
		s.put(key, row)
	}
	return row.Entry.Stored(), err
}

func (s *Store) row(key token.Key) store.Row {
	if row, ok := s.rows[key]; ok {
		return row
	}
	return store.Row{Entry: store.Entry{Key: key}}
}

// counter identifies a counter.
type counter struct{ credential, window string }

// Count implements [store.Counting].
func (s *Store) Count(ctx context.Context, c store.Counter, n int64) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums[counter{c.Credential, c.Window}] += n
	return s.sums[counter{c.Credential, c.Window}], nil
}

// Counted implements [store.Counting].
func (s *Store) Counted(ctx context.Context, c store.Counter) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums[counter{c.Credential, c.Window}], nil
}
