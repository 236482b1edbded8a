package records

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Seal seals what is secret of a row, see [row.Row.Seal].
func (r *Records) Seal(ctx context.Context, next *row.Row) error {
	return next.Seal(ctx, r.Sealer, r.RowFormat)
}

// SeenGeneration returns the highest generation that this process has seen of a
// key, also if its row was deleted since.
func (r *Records) SeenGeneration(key token.Key) int64 { return r.memory.seen.Highest(key) }

// NextGeneration returns a generation above all that this process has seen of a
// row, also before an older item was put back.
func (r *Records) NextGeneration(e store.Entry) int64 {
	return max(e.Generation, r.memory.seen.Highest(e.Key)) + 1
}

// Committed remembers an entry that was committed under a lease.
func (r *Records) Committed(lease store.Lease, next *row.Row, origin Origin) *Known {
	next.Revision, next.LeasedUntil = lease.Entry.Revision+1, time.Time{}
	return r.memory.put(next, origin, clock.Now())
}

// Leased remembers that another process leases a row.
func (r *Records) Leased(k *Known, stored store.Entry) *Known {
	now := k.With(stored)
	return r.memory.put(&now, Store, clock.Now())
}

// Replace writes an entry whose sealed part stays as it is. It reports whether
// that was done.
func (r *Records) Replace(ctx context.Context, seen, next store.Entry) bool {
	_, err := r.Store.Replace(ctx, seen, next)
	return err == nil
}

// Touch notes a request for an entry. That it could not be noted is no reason
// to refuse the request.
func (r *Records) Touch(ctx context.Context, k *Known, now time.Time) {
	if k.Revision == 0 || now.Sub(k.AskedAt) < schedule.AskedPrecision {
		return
	}
	if err := r.Store.Touch(ctx, k.Key, now); err == nil {
		touched := *k.Row
		touched.AskedAt = now
		r.memory.put(&touched, Memory, k.seen)
	}
}

// ReplaceRecord writes a credential record and returns what then is stored:
// with store.ErrChanged, what another process has written.
func (r *Records) ReplaceRecord(ctx context.Context, seen store.Entry, next row.Row) (*Known, error) {
	newest := r.memory.seen.Highest(seen.Key)
	stored, err := r.Store.Replace(ctx, seen, next.Entry)
	if errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrLeased) {
		k, err := r.remember(ctx, stored, newest, clock.Now())
		if err != nil {
			return nil, err
		}
		return k, store.ErrChanged
	}
	if err != nil {
		return nil, failure.StoreUnavailable(err)
	}
	next.Entry = stored
	return r.memory.put(&next, Store, clock.Now()), nil
}

// ResealRecord writes a credential record of a new generation, whose sealed
// part change has changed. With store.ErrChanged it returns what another
// process has written.
func (r *Records) ResealRecord(ctx context.Context, record *Known, change func(*row.Row)) (*Known, error) {
	next := *record.Row
	change(&next)
	next.Generation = r.NextGeneration(record.Entry)
	if err := r.Seal(ctx, &next); err != nil {
		return nil, failure.SealUnavailable(err)
	}
	return r.ReplaceRecord(ctx, record.Entry, next)
}

// maxTries bounds how often a change of a record is tried again if other
// processes write it at the same time.
const maxTries = 4

// ChangeRecord changes what is not sealed of a credential record. If that
// cannot be done the record stays as it is: each entry has its own failure, so
// only the sharing is lost.
func (r *Records) ChangeRecord(ctx context.Context, record *Known, change func(*store.Entry)) *Known {
	for range maxTries {
		next := *record.Row
		change(&next.Entry)
		stored, err := r.ReplaceRecord(ctx, record.Entry, next)
		if err == nil {
			return stored
		}
		if !errors.Is(err, store.ErrChanged) || stored.Broken {
			return record
		}
		record = stored
	}
	return record
}
