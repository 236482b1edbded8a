package records

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Migration is the result of a [Records.Migrate].
type Migration struct {
	Rewritten int // rows of another format that are of the one that is written now
	Left      int // rows that could not be rewritten now
	// Looked: the table was read. false: nothing was left an hour ago, or rows
	// are not rewritten, see [row.Format.Migrates].
	Looked bool
}

// Migrate rewrites the rows of another format than the one that is written, if
// [row.Format.Migrates]. If ctx ends, the next call continues: rewritten rows
// are skipped. Errors are of type *api.Error.
func (r *Records) Migrate(ctx context.Context) (Migration, error) {
	if !r.RowFormat.Migrates() || !r.migrated.isDue(clock.Now()) {
		return Migration{}, nil
	}
	done := Migration{Looked: true}
	all, err := r.All(ctx)
	if err != nil {
		return done, failure.API(err)
	}
	for name, e := range all {
		record, err := r.Listed(ctx, e)
		if err != nil {
			return done, failure.API(err)
		}
		done.count(r.migrateRecord(ctx, record))
		for e, err := range r.Each(ctx, name) {
			if err != nil {
				return done, failure.API(err)
			}
			done.count(r.migrateEntry(ctx, record, e))
		}
	}
	if done.Left == 0 {
		r.migrated.set(clock.Now())
	}
	return done, nil
}

func (d *Migration) count(was, is bool) {
	switch {
	case was && is:
		d.Rewritten++
	case was:
		d.Left++
	}
}

// migrateRecord returns whether a credential record was of another format, and
// whether it is rewritten now.
func (r *Records) migrateRecord(ctx context.Context, record *Known) (was, is bool) {
	if !r.RowFormat.Rewrites(record.Entry) || record.Broken {
		return false, false
	}
	_, err := r.ResealRecord(ctx, record, func(next *row.Row) { next.SetTerms(record.Terms) })
	return true, err == nil
}

// migrateEntry does the same to an entry.
func (r *Records) migrateEntry(ctx context.Context, record *Known, e store.Entry) (was, is bool) {
	if !r.RowFormat.Rewrites(e) {
		return false, false
	}
	opened, err := r.open(ctx, e)
	if err != nil || opened.Broken {
		return true, false
	}
	next := *opened
	next.Stamp(record.Row)
	if r.Seal(ctx, &next) != nil {
		return true, false
	}
	return true, r.Replace(ctx, e, next.Entry)
}
