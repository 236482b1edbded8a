package bolt

import (
	"bytes"
	"context"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var _ store.Store = (*Store)(nil)

// Get implements [store.Reader] in one transaction.
func (s *Store) Get(ctx context.Context, _ store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	entries := make([]store.Entry, len(keys))
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		for i, key := range keys {
			row, err := read(tx, key)
			if err != nil {
				return err
			}
			entries[i] = row.Entry
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// List implements [store.Reader].
func (s *Store) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	var entries []store.Entry
	prefix, first := listKey(partition, ""), listKey(partition, after)
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(entriesBucket).Cursor()
		for key, data := c.Seek(first); bytes.HasPrefix(key, prefix) && len(entries) < limit; key, data = c.Next() {
			if bytes.Equal(key, first) {
				continue // it may be no entry, and the list goes on after it
			}
			row, err := decode(key, data)
			if err != nil {
				return err
			}
			if row.Entry.Revision > 0 {
				entries = append(entries, row.Entry)
			}
		}
		return nil
	})
	return entries, err
}

// Acquire implements [store.Store].
func (s *Store) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (l store.Lease, err error) {
	stands, err := s.change(ctx, seen.Key, func(r store.Row) (_ store.Row, err error) {
		r, l, err = r.Acquire(seen, time.Now(), ttl)
		return r, err
	})
	if err != nil {
		return store.Lease{Entry: stands}, err
	}
	return l, nil
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
	return s.update(ctx, func(tx *bbolt.Tx) error {
		row, err := read(tx, key)
		if err != nil || row.Entry.Revision == 0 {
			return err
		}
		return write(tx, row, row.Touch(asked))
	})
}

// Delete implements [store.Store].
func (s *Store) Delete(ctx context.Context, key token.Key) error {
	return s.update(ctx, func(tx *bbolt.Tx) error {
		row, err := read(tx, key)
		if err != nil {
			return err
		}
		return remove(tx, row.Entry)
	})
}

// change stores the row that decide returns for a key and returns the stored
// entry, also if decide refuses.
func (s *Store) change(
	ctx context.Context, key token.Key, decide func(store.Row) (store.Row, error),
) (stands store.Entry, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		old, err := read(tx, key)
		if err != nil {
			return err
		}
		row, err := decide(old)
		stands = row.Entry
		if err != nil {
			return err
		}
		return write(tx, old, row)
	})
	return stands, err
}

func read(tx *bbolt.Tx, key token.Key) (store.Row, error) {
	name := rowKey(key)
	data := tx.Bucket(entriesBucket).Get(name)
	if data == nil {
		return store.Row{Entry: store.Entry{Key: key}}, nil
	}
	return decode(name, data)
}

// write replaces old by row, and its index entry, in the same transaction.
func write(tx *bbolt.Tx, old, row store.Row) error {
	data, err := encode(row)
	if err != nil {
		return err
	}
	if err := remove(tx, old.Entry); err != nil {
		return err
	}
	if e := row.Entry; !e.NextAt.IsZero() {
		if err := tx.Bucket(dueBucket).Put(dueKey(e), dueValue(e)); err != nil {
			return err
		}
	}
	if e := row.Entry; waits(e) {
		if err := tx.Bucket(waitingBucket).Put(waitingKey(e), waitingValue(e)); err != nil {
			return err
		}
	}
	return tx.Bucket(entriesBucket).Put(rowKey(row.Entry.Key), data)
}

func remove(tx *bbolt.Tx, e store.Entry) error {
	if !e.NextAt.IsZero() {
		if err := tx.Bucket(dueBucket).Delete(dueKey(e)); err != nil {
			return err
		}
	}
	if waits(e) {
		if err := tx.Bucket(waitingBucket).Delete(waitingKey(e)); err != nil {
			return err
		}
	}
	return tx.Bucket(entriesBucket).Delete(rowKey(e.Key))
}
