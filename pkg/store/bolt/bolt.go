// Package bolt keeps entries in one file, using go.etcd.io/bbolt, for the
// one-machine server. Only one process opens the file at a time.
//
// [store.ErrNewer] and [store.ErrUnreadable] report a file or an entry that a
// newer program wrote or that is damaged.
//
// Every confirmed write is on disk and survives the end of the process. The
// lease of a process that died ends by its time.
package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// ErrInUse means that another process, or another Store of this one, has opened
// the file. The message names the file.
var ErrInUse = errors.New("the store is in use by another process")

// lockWait is how long Open waits for a process that is shutting down.
const lockWait = 800 * time.Millisecond

// Store is a [store.Store] whose reads are all strong.
type Store struct {
	db   *bbolt.DB
	path string
}

// Open opens the file at path. It creates the file (mode 0600) and its
// directory (0700) if they are missing.
func Open(path string) (*Store, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("the store's folder: %w", err)
	}
	s := &Store{path: path}
	if err := s.guard(s.open); err != nil {
		if s.db != nil {
			_ = s.db.Close() // the file is unchanged, and the error below says more than Close's
		}
		return nil, err
	}
	return s, nil
}

// Close waits for transactions to end and releases the file.
func (s *Store) Close() error { return s.db.Close() }

func (s *Store) open() error {
	db, err := bbolt.Open(s.path, 0o600, &bbolt.Options{Timeout: lockWait, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, bbolterrors.ErrTimeout):
		return ErrInUse
	case errors.Is(err, bbolterrors.ErrInvalid), errors.Is(err, bbolterrors.ErrVersionMismatch),
		errors.Is(err, bbolterrors.ErrChecksum):
		return fmt.Errorf("%w: %w", store.ErrUnreadable, err)
	case err != nil:
		return err
	}
	s.db = db
	fresh, older := false, false
	err = db.View(func(tx *bbolt.Tx) error {
		fresh, older = tx.Bucket(rootBucket) == nil, tx.Bucket(waitingBucket) == nil
		return s.check(tx)
	})
	switch {
	case err != nil:
		return err
	case fresh:
		return db.Update(create)
	case older:
		return db.Update(fillWaiting)
	}
	return nil
}

// check reports whether tx is a complete store in a known format, or an empty
// file that can become one.
func (s *Store) check(tx *bbolt.Tx) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	root := tx.Bucket(rootBucket)
	first, _ := tx.Cursor().First()
	switch {
	case info.Size() < tx.Size():
		return fmt.Errorf("%w: it was cut short", store.ErrUnreadable)
	case root == nil && first == nil:
		return nil
	case root == nil || tx.Bucket(entriesBucket) == nil || tx.Bucket(dueBucket) == nil:
		return fmt.Errorf("%w: it holds something else", store.ErrUnreadable)
	case string(root.Get(formatKey)) != fileFormat:
		return fmt.Errorf("%w: format %q, this program reads %q", store.ErrNewer, root.Get(formatKey), fileFormat)
	}
	return nil
}

func create(tx *bbolt.Tx) error {
	for _, name := range [][]byte{rootBucket, entriesBucket, dueBucket, waitingBucket} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	return tx.Bucket(rootBucket).Put(formatKey, []byte(fileFormat))
}

func (s *Store) view(ctx context.Context, read func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.guard(func() error { return s.db.View(read) })
}

// update checks ctx again once it holds the lock: a caller that gave up while
// waiting writes nothing.
func (s *Store) update(ctx context.Context, write func(*bbolt.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return write(tx)
		})
	})
}

// guard returns an error for what a damaged file does to bbolt: a panic, or a
// fault in mapped memory.
func (s *Store) guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s: %w: %v", s.path, store.ErrUnreadable, p)
		}
	}()
	return s.named(do())
}

// named returns an error with the path of the file, and with [store.ErrFull]
// where the disk is full.
func (s *Store) named(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: %w: %w", s.path, store.ErrFull, err)
	}
	return fmt.Errorf("%s: %w", s.path, err)
}
