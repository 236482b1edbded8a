// Package dynamo keeps entries in a DynamoDB table, for the functions.
//
// DynamoDB deletes a row some time after forget_at. All conditions and leases
// are evaluated by the caller's clock.
package dynamo

import (
	"context"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Store is a [store.Store] over one table. Any number of processes may share
// the table.
type Store struct {
	client places.Client
	table  string
	items  places.Table
}

var _ store.Store = (*Store)(nil)

// New returns a Store over an existing table. The client decides on retries;
// with the SDK's default back-off, one failed response can cost a caller more
// than a second.
func New(client places.Client, table string) *Store {
	return (&Store{client: client, table: table}).WithLayout(places.OnePartition)
}

// WithLayout returns a Store over the same table that keeps credential records
// as layout says. That of [New] is [places.OnePartition].
func (s *Store) WithLayout(layout places.Layout) *Store {
	items := places.Table{Client: s.client, Name: s.table, Layout: layout}
	return &Store{client: s.client, table: s.table, items: items}
}

// write updates one item conditionally. It reports whether the condition held
// and returns the stored row, strongly read; if the condition held, only if x
// requests it.
func (s *Store) write(ctx context.Context, key token.Key, x expression) (stands store.Row, done bool, err error) {
	it, done, err := s.items.Update(ctx, x.input(s.table, key), x.creates)
	switch {
	case err != nil:
		return store.Row{}, false, fmt.Errorf("store: writing %v: %w", key, awserror.Wrap(err))
	case len(it) > 0:
		stands, err = decode(it)
	case !done:
		stands.Entry.Key = key
	}
	return stands, done, err
}
