package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// HasRows reports whether anything is stored.
func (s *Store) HasRows(ctx context.Context) (has bool, err error) {
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		first, _ := tx.Bucket(entriesBucket).Cursor().First()
		has = first != nil
		return nil
	})
	return has, err
}

// Inspection is what a file holds.
type Inspection struct {
	Entries  []store.Entry // of the rows that can be read
	Problems []error       // what is wrong: none for a sound file
}

// Inspect reads a whole file and changes nothing. Its error is [ErrInUse], or
// says why the file cannot be opened at all.
func Inspect(path string) (i Inspection, err error) {
	db, err := openReadOnly(path)
	if err != nil {
		return i, err
	}
	s := &Store{db: db, path: path}
	defer func() { _ = db.Close() }()
	if err := s.guard(func() error { return db.View(s.check) }); err != nil {
		return i, err
	}
	// Not [bbolt.Tx.Check]: it walks in a goroutine of its own, where a damaged
	// page would end this process.
	for _, walk := range []func(*bbolt.Tx) error{i.rows, i.index, i.counters} {
		if err := s.guard(func() error { return db.View(walk) }); err != nil {
			i.Problems = append(i.Problems, err)
		}
	}
	return i, nil
}

// openReadOnly opens a file without writing to it.
func openReadOnly(path string) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, fmt.Errorf("%s: %w: it is empty", path, store.ErrUnreadable)
	}
	var db *bbolt.DB
	err = (&Store{path: path}).guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: lockWait})
		return err
	})
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	case err != nil && !errors.Is(err, store.ErrUnreadable):
		return nil, fmt.Errorf("%w: %w", store.ErrUnreadable, err)
	}
	return db, err
}

// maxProblems bounds how many problems of one kind are kept.
const maxProblems = 20

// rows reads each row.
func (i *Inspection) rows(tx *bbolt.Tx) error {
	return tx.Bucket(entriesBucket).ForEach(func(key, data []byte) error {
		row, err := decode(key, data)
		switch {
		case err != nil && len(i.Problems) < maxProblems:
			i.Problems = append(i.Problems, err)
		case err == nil && row.Entry.Revision > 0:
			i.Entries = append(i.Entries, row.Entry)
		}
		return nil
	})
}

// index checks that the index names rows that are there, at their times.
func (i *Inspection) index(tx *bbolt.Tx) error {
	return tx.Bucket(dueBucket).ForEach(func(key, _ []byte) error {
		if len(key) < dueTime || len(i.Problems) >= maxProblems {
			return nil
		}
		name := key[dueTime:]
		data := tx.Bucket(entriesBucket).Get(name)
		row, err := decode(name, data)
		if data == nil || err == nil && !bytes.Equal(dueKey(row.Entry), key) {
			partition, sort, _ := bytes.Cut(name, []byte{0})
			i.Problems = append(i.Problems, fmt.Errorf("the index names %s/%s at another time than its row",
				partition, sort))
		}
		return nil
	})
}

// Salvage writes those rows of the file from that can be read, and that keep
// reports true for, to the new file to, and returns how many there were. The
// file from is not changed.
func Salvage(from, to string, keep func(store.Entry) bool) (kept int, err error) {
	if _, err := os.Lstat(to); err == nil {
		return 0, fmt.Errorf("%s: %w", to, os.ErrExist)
	}
	db, err := openReadOnly(from)
	if err != nil {
		return 0, err
	}
	old := &Store{db: db, path: from}
	defer func() { _ = db.Close() }()
	next, err := Open(to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, next.Close()) }()
	return kept, next.update(context.Background(), func(target *bbolt.Tx) error {
		// what can be read before a damaged page is kept
		_ = old.guard(func() error {
			return db.View(func(tx *bbolt.Tx) error { return copyRows(tx, target, keep, &kept) })
		})
		_ = old.guard(func() error {
			return db.View(func(tx *bbolt.Tx) error { return copyCounters(tx, target) })
		})
		return nil
	})
}

func copyRows(from, to *bbolt.Tx, keep func(store.Entry) bool, kept *int) error {
	entries := from.Bucket(entriesBucket)
	if entries == nil {
		return store.ErrUnreadable
	}
	return entries.ForEach(func(key, data []byte) error {
		row, err := decode(key, data)
		if err != nil || !keep(row.Entry) {
			return nil
		}
		if err := write(to, store.Row{Entry: store.Entry{Key: row.Entry.Key}}, row); err != nil {
			return err
		}
		*kept++
		return nil
	})
}

// counters checks that each counter can be read.
func (i *Inspection) counters(tx *bbolt.Tx) error {
	counters := tx.Bucket(countersBucket)
	if counters == nil {
		return nil
	}
	return counters.ForEach(func(key, value []byte) error {
		if _, err := decodeCounter(key, value); err != nil && len(i.Problems) < maxProblems {
			i.Problems = append(i.Problems, err)
		}
		return nil
	})
}
