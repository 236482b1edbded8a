// Package memory keeps entries in memory, for tests and simulated time: it
// needs no goroutine and no timer.
package memory

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Store is a [store.Store] whose reads are all strong. It never deletes entries
// by their ForgetAt.
type Store struct {
	mu   sync.Mutex
	rows map[token.Key]store.Row
}

var _ store.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{rows: make(map[token.Key]store.Row)} }

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
	for _, row := range s.rows {
		if since := row.Entry.DueSince(); !since.IsZero() && !since.After(before) {
			due = append(due, row.Entry.Due())
		}
	}
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
	for key, row := range s.rows {
		if row.Entry.Revision > 0 && key.Partition() == partition && key.Sort() > after {
			entries = append(entries, row.Entry.Stored())
		}
	}
	slices.SortFunc(entries, func(a, b store.Entry) int { return strings.Compare(a.Key.Sort(), b.Key.Sort()) })
	return entries[:min(limit, len(entries))], nil
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
		s.rows[key] = row.Touch(asked)
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
	delete(s.rows, key)
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
		s.rows[key] = row
	}
	return row.Entry.Stored(), err
}

func (s *Store) row(key token.Key) store.Row {
	if row, ok := s.rows[key]; ok {
		return row
	}
	return store.Row{Entry: store.Entry{Key: key}}
}
