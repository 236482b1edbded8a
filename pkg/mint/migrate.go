package mint

import (
	"context"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// Migration says what a [Mint.Migrate] did.
type Migration struct {
	Rewritten int  // rows of the first format that are of the second now
	Left      int  // rows that could not be rewritten now
	Looked    bool // the table was read; false: nothing was left an hour ago, or the format is not [RowFormatMigrate]
}

// migratedFor is how long a table of which no row was left is not read again.
const migratedFor = time.Hour

// migrated is when no row of the first format was left.
type migrated struct {
	mu sync.Mutex
	at time.Time
}

// Migrate rewrites the rows of the first format, with [RowFormatMigrate]. It
// goes on from where it was when ctx ends: what is rewritten is passed over.
// Errors are of type *api.Error.
func (m *Mint) Migrate(ctx context.Context) (Migration, error) {
	if m.RowFormat != RowFormatMigrate || !m.migrated.due(wall()) {
		return Migration{}, nil
	}
	done := Migration{Looked: true}
	records, err := m.ownRows(ctx)
	if err != nil {
		return done, problem(err)
	}
	for name, e := range records {
		own, err := m.rememberListed(ctx, e)
		if err != nil {
			return done, problem(err)
		}
		done.count(m.migrateRecord(ctx, own))
		for e, err := range m.each(ctx, name) {
			if err != nil {
				return done, problem(err)
			}
			done.count(m.migrateEntry(ctx, own, e))
		}
	}
	if done.Left == 0 {
		m.migrated.set(wall())
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

// migrateRecord returns whether a credential's record was of the first format,
// and whether it is of the second now.
func (m *Mint) migrateRecord(ctx context.Context, own *known) (was, is bool) {
	if own.entry.Format == secondFormat || len(own.entry.Sealed) == 0 || own.broken {
		return false, false
	}
	next := *own.row
	next.setRecord(record{own.terms, own.history}.next(own.terms))
	next.entry.Generation = m.nextGeneration(own.entry)
	if m.closeRecord(ctx, &next) != nil {
		return true, false
	}
	_, err := m.replaceOwn(ctx, own.entry, next)
	return true, err == nil
}

// migrateEntry does the same to an entry.
func (m *Mint) migrateEntry(ctx context.Context, own *known, e store.Entry) (was, is bool) {
	if e.Format == secondFormat || len(e.Sealed) == 0 {
		return false, false
	}
	r, err := m.open(ctx, e)
	if err != nil || r.broken {
		return true, false
	}
	next := *r
	next.stamp(own.row)
	if m.closeToken(ctx, &next, next.token.Access) != nil {
		return true, false
	}
	return true, m.replace(ctx, e, next.entry)
}

func (m *migrated) due(now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	age := now.Sub(m.at)
	return age < 0 || age >= migratedFor
}

func (m *migrated) set(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = now
}
