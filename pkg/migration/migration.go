// Package migration brings a store to another row format: it rewrites rows, and
// moves credential records to the place of new ones.
package migration

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Migrator migrates a store. The zero value has migrated nothing yet. All its
// methods are safe for concurrent use.
type Migrator struct{ progress progress }

const (
	pageSize = 100
	// atOnce is how many credentials are migrated at once.
	atOnce = 16
)

// Migrate moves the credential records, if [row.Format.Moves], and rewrites the
// rows of another format than the one that is written, if
// [row.Format.Migrates]. If ctx ends, the next call continues where this one
// has come to. Errors are of type *api.Error.
func (m *Migrator) Migrate(ctx context.Context, r *records.Records) (Result, error) {
	if !r.RowFormat.Moves() || !m.progress.isDue(clock.Now()) {
		return Result{}, nil
	}
	after, done := m.progress.get()
	if after == "" {
		if err := move(ctx, r, &done); err != nil {
			return done, failure.API(r.ReadError(ctx, "", err))
		}
	}
	if !r.RowFormat.Migrates() {
		done.Looked = done.Rewritten+done.Left > 0
		m.progress.end(done, clock.Now())
		return done, nil
	}
	for {
		page, err := r.Store.List(ctx, token.RecordPartition, after, pageSize)
		if err != nil {
			return done, failure.API(r.ReadError(ctx, "", err))
		}
		if err := migratePage(ctx, r, page, &done); err != nil {
			return done, failure.API(err)
		}
		if len(page) < pageSize {
			done.Looked = true
			m.progress.end(done, clock.Now())
			return done, nil
		}
		after = page[len(page)-1].Key.SortKey()
		m.progress.note(after, done)
	}
}

// move moves the credential records of a store that has two places for them.
func move(ctx context.Context, r *records.Records, done *Result) error {
	mover := r.Mover()
	if mover == nil {
		return nil
	}
	moved, err := mover.MoveRecords(ctx, func(credential string, err error) {
		r.Journal.Failure(ctx, "migration", credential, err)
		done.Left++
	})
	done.Rewritten += moved
	return err
}

// migratePage migrates some credentials, whose records are given. One that
// cannot be read counts as left, and does not keep the others waiting. The
// error is that of ctx; only without one does it add to done.
func migratePage(ctx context.Context, r *records.Records, page []store.Entry, done *Result) error {
	var all errgroup.Group
	all.SetLimit(atOnce)
	parts, errs := make([]Result, len(page)), make([]error, len(page))
	for i, e := range page {
		all.Go(func() error {
			defer failure.Recover(ctx, r.Journal, &errs[i])
			errs[i] = migrateCredential(ctx, r, e, &parts[i])
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
func migrateCredential(ctx context.Context, r *records.Records, e store.Entry, done *Result) error {
	record, err := r.Listed(ctx, e)
	if err != nil {
		return err
	}
	done.count(migrateRecord(ctx, r, record))
	for e, err := range r.Each(ctx, e.Key.Credential) {
		if err != nil {
			return err
		}
		done.count(migrateEntry(ctx, r, record, e))
	}
	return nil
}

func (d *Result) count(was, is bool) {
	switch {
	case was && is:
		d.Rewritten++
	case was:
		d.Left++
	}
}

// migrateRecord returns whether a credential record was of another format, and
// whether it is rewritten now.
func migrateRecord(ctx context.Context, r *records.Records, record *records.Known) (was, is bool) {
	if !r.RowFormat.Rewrites(record.Entry) || record.Broken {
		return false, false
	}
	_, err := r.ResealRecord(ctx, record, func(next *row.Row) { next.SetTerms(record.Terms) })
	return true, err == nil
}

// migrateEntry does the same to an entry.
func migrateEntry(ctx context.Context, r *records.Records, record *records.Known, e store.Entry) (was, is bool) {
	if !r.RowFormat.Rewrites(e) {
		return false, false
	}
	opened, err := r.Open(ctx, e)
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
