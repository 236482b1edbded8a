package dynamo

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// tries is how often a write is repeated if it was refused for a reason that no
// longer held when the row was read.
const tries = 3

// Acquire implements [store.Store]: one request, or two if it is refused by a
// DynamoDB that does not return the item.
func (s *Store) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (store.Lease, error) {
	id := rand.Text()
	var stands store.Row
	for range tries {
		now := time.Now()
		row, done, err := s.write(ctx, seen.Key, claim(seen, id, now, ttl))
		if err != nil {
			return store.Lease{}, err
		}
		if done || row.Holder == id { // refused because of our own write, whose response was lost
			return store.Lease{Entry: row.Entry, ID: id, Until: row.Entry.LeasedUntil, Attempt: row.Vanished}, nil
		}
		if _, refused, err := row.Acquire(seen, now, ttl); err != nil {
			return refused, err
		}
		stands = row
	}
	return store.Lease{Entry: stands.Entry}, store.ErrChanged
}

// Commit implements [store.Store]: one request.
func (s *Store) Commit(ctx context.Context, l store.Lease, next store.Entry) error {
	after, err := store.Row{Entry: l.Entry, Holder: l.ID}.Commit(l, next)
	if err != nil {
		return err
	}
	x := put(after)
	x.requireRevision(l.Entry.Revision)
	x.condition += " AND #holder = :holder"
	x.values[":holder"] = attributevalue.Text(l.ID)
	stands, done, err := s.write(ctx, l.Entry.Key, x)
	if err == nil && !done && stands.Committed != l.ID {
		return store.ErrLeaseLost
	}
	return err
}

// Replace implements [store.Store]: one request, or two if it is refused by a
// DynamoDB that does not return the item. Like Commit it stores a nonce by
// which it recognises its own write.
func (s *Store) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	before := store.Row{Entry: store.Entry{Key: seen.Key, Revision: seen.Revision}}
	id := rand.Text()
	var stands store.Row
	for range tries {
		now := time.Now()
		after, err := before.Replace(seen, next, now)
		if err != nil {
			return store.Entry{}, err
		}
		after.Committed = id
		x := put(after, attrVanished)
		x.require(seen, now)
		row, done, err := s.write(ctx, seen.Key, x)
		if err != nil {
			return store.Entry{}, err
		}
		if done || row.Committed == id {
			return after.Entry, nil
		}
		if _, err := row.Replace(seen, next, now); err != nil {
			return row.Entry, err
		}
		stands = row
	}
	return stands.Entry, store.ErrChanged
}

// Touch implements [store.Store]: one request. It does not change an item in a
// newer format.
func (s *Store) Touch(ctx context.Context, key token.Key, asked time.Time) error {
	x := expression{
		update:    "SET #asked_at = :asked",
		condition: "attribute_exists(#revision)",
		values:    item{":asked": attributevalue.Millis(asked)},
	}
	if asked.IsZero() {
		x.update, x.values = "REMOVE #asked_at", item{}
	}
	if err := s.items.Touch(ctx, x.input(s.table, key)); err != nil {
		return fmt.Errorf("store: touching %v: %w", key, awserror.Wrap(err))
	}
	return nil
}

// Delete implements [store.Store]: one request.
func (s *Store) Delete(ctx context.Context, key token.Key) error {
	if err := s.items.Delete(ctx, keyOf(key)); err != nil {
		return fmt.Errorf("store: deleting %v: %w", key, awserror.Wrap(err))
	}
	return nil
}
