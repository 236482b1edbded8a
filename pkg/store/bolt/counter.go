package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// countersBucket holds counters by credential, NUL and window. A file of a
// program that knew of none lacks it, and such a program leaves it alone.
var countersBucket = []byte("counters")

// counterSize is the length of a counter's value: its sum, and its ForgetAt in
// milliseconds, both big-endian.
const counterSize = 16

func counterKey(c store.Counter) []byte { return listKey(c.Credential, c.Window) }

// Count implements [store.Counting]. A new counter takes the place of all those
// that may be deleted.
func (s *Store) Count(ctx context.Context, c store.Counter, n int64) (sum int64, err error) {
	err = s.update(ctx, func(tx *bbolt.Tx) error {
		counters, err := tx.CreateBucketIfNotExists(countersBucket)
		if err != nil {
			return err
		}
		before, err := readCounter(counters, counterKey(c))
		if err != nil {
			return err
		}
		sum = before + n
		if before == 0 {
			if err := forgetCounters(counters, time.Now()); err != nil {
				return err
			}
		}
		value := binary.BigEndian.AppendUint64(nil, uint64(sum)) // #nosec G115 -- not negative
		return counters.Put(counterKey(c), append(value, millis(c.ForgetAt)...))
	})
	return sum, err
}

// Counted implements [store.Counting].
func (s *Store) Counted(ctx context.Context, c store.Counter) (sum int64, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) (err error) {
		if counters := tx.Bucket(countersBucket); counters != nil {
			sum, err = readCounter(counters, counterKey(c))
		}
		return err
	})
	return sum, err
}

// readCounter returns the sum of a counter; 0 if there is none.
func readCounter(counters *bbolt.Bucket, key []byte) (int64, error) {
	value := counters.Get(key)
	if value == nil {
		return 0, nil
	}
	return decodeCounter(key, value)
}

func decodeCounter(key, value []byte) (int64, error) {
	if len(value) == counterSize {
		if sum := int64(binary.BigEndian.Uint64(value)); sum > 0 { // #nosec G115 -- a larger one is negative
			return sum, nil
		}
	}
	credential, window, _ := bytes.Cut(key, []byte{0})
	return 0, fmt.Errorf("%w: the counter %s of %s", store.ErrUnreadable, window, credential)
}

// forgetCounters removes the counters whose ForgetAt has passed.
func forgetCounters(counters *bbolt.Bucket, now time.Time) error {
	var old [][]byte
	err := counters.ForEach(func(key, value []byte) error {
		if len(value) == counterSize && bytes.Compare(value[counterSize-dueTime:], millis(now)) < 0 {
			old = append(old, bytes.Clone(key))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range old {
		if err := counters.Delete(key); err != nil {
			return err
		}
	}
	return nil
}

// copyCounters copies the counters that can be read.
func copyCounters(from, to *bbolt.Tx) error {
	counters := from.Bucket(countersBucket)
	if counters == nil {
		return nil
	}
	target, err := to.CreateBucketIfNotExists(countersBucket)
	if err != nil {
		return err
	}
	return counters.ForEach(func(key, value []byte) error {
		if _, err := decodeCounter(key, value); err != nil {
			return nil // it begins anew
		}
		return target.Put(key, value)
	})
}
