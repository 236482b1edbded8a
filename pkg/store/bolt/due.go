package bolt

import (
	"bytes"
	"context"
	"iter"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// abandoned is how long a key that was leased and never written is kept. The
// next holder needs its count of holders that did not commit.
const abandoned = 24 * time.Hour

// Due implements [store.Reader]. Of all entries that are due or overdue it
// returns those that expire first.
func (s *Store) Due(ctx context.Context, before time.Time, limit int) ([]store.Due, error) {
	var due []store.Due
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		rows := tx.Bucket(entriesBucket)
		for _, key := range firstToExpire(tx, before, limit) {
			data := rows.Get(key)
			if data == nil { // deleted by an older program, which leaves waiting as it is
				continue
			}
			row, err := decode(key, data)
			if err != nil {
				return err
			}
			if e := row.Entry; !e.DueSince().IsZero() && !e.DueSince().After(before) {
				due = append(due, e.Due())
			}
		}
		return nil
	})
	return due, err
}

// firstToExpire returns row keys, reading only the indexes. They are valid as
// long as tx.
func firstToExpire(tx *bbolt.Tx, before time.Time, limit int) [][]byte {
	type candidate struct{ expires, key []byte }
	var found []candidate
	end := millis(before)
	for key, value := range until(tx.Bucket(dueBucket), end) {
		found = append(found, candidate{value[:len(end)], key})
	}
	for key, value := range until(tx.Bucket(waitingBucket), end) {
		if next := value[len(end):]; bytes.Compare(next, end) > 0 { // else due has it too
			found = append(found, candidate{value[:len(end)], key})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return bytes.Compare(a.expires, b.expires) })
	keys := make([][]byte, min(limit, len(found)))
	for i := range keys {
		keys[i] = found[i].key
	}
	return keys
}

// until returns the row keys and the values of an index up to a time. It passes
// over damaged ones.
func until(index *bbolt.Bucket, end []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		c := index.Cursor()
		for key, value := c.First(); key != nil; key, value = c.Next() {
			if len(key) <= len(end) || len(value) < len(end) {
				continue
			}
			if bytes.Compare(key[:len(end)], end) > 0 || !yield(key[len(end):], value) {
				return
			}
		}
	}
}

// Forget deletes entries whose ForgetAt has passed and that are not leased, and
// keys that were leased a day ago and never written. It returns the number of
// deleted rows. It reads every entry, so call it once an hour or less.
func (s *Store) Forget(ctx context.Context, now time.Time) (int, error) {
	var over []store.Entry
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		err := tx.Bucket(entriesBucket).ForEach(func(key, data []byte) error {
			row, err := decode(key, data)
			if err == nil && forgettable(row.Entry, now) {
				over = append(over, row.Entry)
			}
			return err
		})
		for i := 0; i < len(over) && err == nil; i++ {
			err = remove(tx, over[i])
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return len(over), nil
}

func forgettable(e store.Entry, now time.Time) bool {
	if e.Revision == 0 {
		return now.Sub(e.LeasedUntil) > abandoned
	}
	return !e.ForgetAt.IsZero() && !now.Before(e.ForgetAt) && !e.Leased(now)
}
