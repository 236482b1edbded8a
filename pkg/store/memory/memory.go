// Package memory keeps entries in memory: for tests, and for simulated time, where it needs no goroutine and no timer. What a process forgets when it ends is gone.
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

// Store is a [store.Store] whose every read is strong. It never drops what may be forgotten.
type Store struct {
	mu   sync.Mutex
	rows map[token.Key]store.Row
}

var _ store.Store = (*Store)(nil)

// New makes an empty store.
func New() *Store { return &Store{rows: make(map[token.Key]store.Row)} }

// Get is [store.Reader]'s.
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

// Due is [store.Reader]'s. Of all that are due, it returns those that expire first.
func (s *Store) Due(ctx context.Context, before time.Time, limit int) ([]store.Due, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []store.Due
	for key, row := range s.rows {
		if e := row.Entry; !e.NextAt.IsZero() && !e.NextAt.After(before) {
			due = append(due, store.Due{Key: key, NextAt: e.NextAt, ExpiresAt: e.ExpiresAt})
		}
	}
	slices.SortFunc(due, func(a, b store.Due) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), a.NextAt.Compare(b.NextAt), cmp.Compare(a.Key.String(), b.Key.String()))
	})
	return due[:min(limit, len(due))], nil
}

// List is [store.Reader]'s.
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

// Acquire is [store.Store]'s.
func (s *Store) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (l store.Lease, err error) {
	_, err = s.change(ctx, seen.Key, func(r store.Row) (store.Row, error) {
		r, l, err = r.Acquire(seen, time.Now(), ttl)
		return r, err
	})
	return l, err
}

// Commit is [store.Store]'s.
func (s *Store) Commit(ctx context.Context, l store.Lease, next store.Entry) error {
	_, err := s.change(ctx, l.Entry.Key, func(r store.Row) (store.Row, error) { return r.Commit(l, next) })
	return err
}

// Replace is [store.Store]'s.
func (s *Store) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	return s.change(ctx, seen.Key, func(r store.Row) (store.Row, error) { return r.Replace(seen, next, time.Now()) })
}

// Touch is [store.Store]'s.
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

// Delete is [store.Store]'s.
func (s *Store) Delete(ctx context.Context, key token.Key) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.rows, key)
	return nil
}

// change stores what decide makes of a key's row, and returns the entry as it then stands, also where decide refuses.
func (s *Store) change(ctx context.Context, key token.Key, decide func(store.Row) (store.Row, error)) (store.Entry, error) {
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
