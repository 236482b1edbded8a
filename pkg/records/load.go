package records

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Load reads rows in one round trip, remembers them, and returns them in the
// order of keys.
//
// If an eventual read shows an older generation than was seen here, a replica
// lags or an item was put back. A strong read shows which.
func (r *Records) Load(ctx context.Context, c store.Consistency, keys ...token.Key) ([]*Known, error) {
	newest := r.memory.highest(keys) // before the read: what is learned meanwhile says nothing about it
	entries, err := r.Store.Get(ctx, c, keys...)
	if err != nil {
		return nil, r.ReadError(ctx, keys[0].Credential, err)
	}
	if c == store.Eventual {
		for i, e := range entries {
			if isOlder(e, newest[i]) {
				return r.Load(ctx, store.Strong, keys...)
			}
		}
	}
	return r.rememberAll(ctx, entries, newest)
}

// LoadSnapshot reads an entry and its credential's record.
func (r *Records) LoadSnapshot(ctx context.Context, c store.Consistency, key token.Key) (Snapshot, error) {
	rows, err := r.Load(ctx, c, token.RecordKey(key.Credential), key)
	if err != nil {
		return Snapshot{}, err
	}
	return NewSnapshot(rows[0], rows[1]), nil
}

// Reload reads both rows of a snapshot again, strongly, so that another's
// failure is seen as well as its success. With an error it returns s.
func (r *Records) Reload(ctx context.Context, s Snapshot) (Snapshot, error) {
	next, err := r.LoadSnapshot(ctx, store.Strong, s.Row.Key)
	if err != nil {
		return s, err
	}
	return next, nil
}

// rememberAll remembers rows. It opens several concurrently: two that different
// processes sealed cost a request to KMS each, and a caller waits for both.
func (r *Records) rememberAll(ctx context.Context, entries []store.Entry, newest []int64) ([]*Known, error) {
	now := clock.Now()
	rows, errs := make([]*Known, len(entries)), make([]error, len(entries))
	sealed := func(e store.Entry) bool { return len(e.Sealed) > 0 && !r.memory.get(e.Key).same(e) }
	first := slices.IndexFunc(entries, sealed)
	var others sync.WaitGroup
	for i, e := range slices.Backward(entries) {
		if i <= first || !sealed(e) {
			rows[i], errs[i] = r.remember(ctx, e, newest[i], now)
			continue
		}
		others.Go(func() {
			defer failure.Recover(ctx, r.Journal, &errs[i])
			rows[i], errs[i] = r.remember(ctx, e, newest[i], now)
		})
	}
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// isOlder reports whether an entry is of a generation before one that was seen.
// One that does not exist any more is not.
func isOlder(e store.Entry, newest int64) bool { return e.Revision > 0 && e.Generation < newest }

// remember opens a row that the store showed, unless it is the one that is
// known, and keeps it. A generation older than newest is refused.
func (r *Records) remember(ctx context.Context, e store.Entry, newest int64, now time.Time) (*Known, error) {
	old := r.memory.get(e.Key)
	if isOlder(e, newest) {
		detail := "the store shows an older generation than this process has seen: " + e.Key.String()
		r.Journal.Integrity(ctx, e.Key.Credential, detail)
		return r.memory.put(row.NewBroken(e), Store, now), nil
	}
	if old.same(e) {
		confirmed := old.With(e)
		return r.memory.put(&confirmed, Store, now), nil
	}
	opened, err := r.Open(ctx, e)
	if err != nil {
		return nil, err
	}
	return r.memory.put(opened, Store, now), nil
}

// Known returns a row that was seen, opened: from memory if it is there.
func (r *Records) Known(ctx context.Context, seen store.Entry) (*Known, error) {
	if k := r.memory.get(seen.Key); k.same(seen) {
		return k, nil
	}
	return r.Listed(ctx, seen)
}

// Listed remembers a row of a list, which may lag: one that is older than what
// was seen is read again, strongly.
func (r *Records) Listed(ctx context.Context, e store.Entry) (*Known, error) {
	if !isOlder(e, r.memory.seen.Highest(e.Key)) {
		return r.remember(ctx, e, 0, clock.Now())
	}
	rows, err := r.Load(ctx, store.Strong, e.Key)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

const pageSize = 100

// Each reads all entries of a partition, page by page. An error ends it.
func (r *Records) Each(ctx context.Context, partition string) iter.Seq2[store.Entry, error] {
	return r.EachAfter(ctx, partition, "")
}

// EachAfter reads the entries of a partition after a sort key, page by page. An
// error ends it.
func (r *Records) EachAfter(ctx context.Context, partition, after string) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		for after := after; ; {
			page, err := r.Store.List(ctx, partition, after, pageSize)
			if err != nil {
				yield(store.Entry{}, r.ReadError(ctx, "", err))
				return
			}
			for _, e := range page {
				if after = e.Key.SortKey(); !yield(e, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// All reads the records of all credentials, without opening them: their version
// of the secret is not sealed.
func (r *Records) All(ctx context.Context) (map[string]store.Entry, error) {
	rows := map[string]store.Entry{}
	for e, err := range r.Each(ctx, token.RecordPartition) {
		if err != nil {
			return nil, err
		}
		rows[e.Key.Credential] = e
	}
	return rows, nil
}

// ReadError returns what callers learn of a failed read. A row that cannot be
// read until somebody deletes it raises an alarm.
func (r *Records) ReadError(ctx context.Context, credential string, err error) error {
	if errors.Is(err, store.ErrUnreadable) || errors.Is(err, store.ErrNewer) {
		r.Journal.Integrity(ctx, credential, err.Error())
		return failure.Damaged{API: failure.StoreUnavailable(err)}
	}
	return failure.StoreUnavailable(err)
}
