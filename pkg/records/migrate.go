package records

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Migration is the result of a [Records.Migrate], and of those before that it
// continued.
type Migration struct {
	Rewritten int // rows of another format that are of the one that is written now
	Left      int // rows that could not be rewritten
	// Looked: the whole table was read. false: nothing was left an hour ago, or
	// rows are not rewritten, see [row.Format.Migrates].
	Looked bool
}

// migrateAtOnce is how many credentials are migrated at once.
const migrateAtOnce = 16

// Migrate rewrites the rows of another format than the one that is written, if
// [row.Format.Migrates]. If ctx ends, the next call continues where this one
// has come to. Errors are of type *api.Error.
func (r *Records) Migrate(ctx context.Context) (Migration, error) {
	if !r.RowFormat.Migrates() || !r.migrated.isDue(clock.Now()) {
		return Migration{}, nil
	}
	after, done := r.migrated.progress()
	for {
		page, err := r.Store.List(ctx, token.RecordPartition, after, pageSize)
		if err != nil {
			return done, failure.API(r.ReadError(ctx, "", err))
		}
		if err := r.migratePage(ctx, page, &done); err != nil {
			return done, failure.API(err)
		}
		if len(page) < pageSize {
			done.Looked = true
			r.migrated.end(done, clock.Now())
			return done, nil
		}
		after = page[len(page)-1].Key.Sort()
		r.migrated.note(after, done)
	}
}

// migratePage migrates some credentials, whose records are given. One that
// cannot be read counts as left, and does not keep the others waiting. The
// error is that of ctx; only without one does it add to done.
func (r *Records) migratePage(ctx context.Context, page []store.Entry, done *Migration) error {
	var all errgroup.Group
	all.SetLimit(migrateAtOnce)
	parts, errs := make([]Migration, len(page)), make([]error, len(page))
	for i, e := range page {
		all.Go(func() error {
			defer failure.Recover(ctx, r.Journal, &errs[i])
			errs[i] = r.migrateCredential(ctx, e, &parts[i])
			return ctx.Err()
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	for i, p := range parts {
		if errs[i] != nil {
			r.Journal.Failure(ctx, "migration", page[i].Key.Credential, errs[i])
			p.Left++
		}
		done.Rewritten += p.Rewritten
		done.Left += p.Left
	}
	return nil
}

// migrateCredential migrates a credential's record and entries.
func (r *Records) migrateCredential(ctx context.Context, e store.Entry, done *Migration) error {
	record, err := r.Listed(ctx, e)
	if err != nil {
		return err
	}
	done.count(r.migrateRecord(ctx, record))
	for e, err := range r.Each(ctx, e.Key.Credential) {
		if err != nil {
			return err
		}
		done.count(r.migrateEntry(ctx, record, e))
	}
	return nil
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
