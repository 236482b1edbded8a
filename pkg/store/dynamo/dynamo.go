// Package dynamo keeps entries in a DynamoDB table, for the functions.
//
// DynamoDB deletes a row some time after forget_at. All conditions and leases
// are evaluated by the caller's clock.
package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The table's schema, which template.yaml must match. Each of the two sparse
// indexes has its own keys and includes [IndexedBesides] or [QueuedBesides].
//
// [Index] is that of older programs, which do not write the other one. It is
// read and written until no such program can work on the table any more.
const (
	PartitionKey      = "credential" // S
	SortKey           = "variant"    // S
	Index             = "due"
	IndexPartitionKey = "due_shard" // N, from 0 to Shards-1
	IndexSortKey      = "next_at"   // N, milliseconds since 1970
	TimeToLive        = "forget_at" // N, seconds since 1970
	Shards            = 16
	Queue             = "queue"     // its partition key is IndexPartitionKey
	QueueSortKey      = "due_since" // N, milliseconds since 1970
)

// IndexedBesides returns the attributes in the index in addition to the keys of
// table and index: all that [Store.Due] reads.
func IndexedBesides() []string { return []string{attrExpiresAt, attrVariantFull} }

// QueuedBesides is [IndexedBesides] of the index [Queue].
func QueuedBesides() []string {
	return []string{
		IndexSortKey, attrExpiresAt, attrVariantFull, attrAlarmAt, attrHost, attrLimit, attrQueued, attrRevision,
	}
}

// client is the part of the SDK's client that is used.
type client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(
		context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(
		context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(
		context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.DeleteItemOutput, error)
}

// Store is a [store.Store] over one table. Any number of processes may share
// the table.
type Store struct {
	client client
	table  string
}

var _ store.Store = (*Store)(nil)

// New returns a Store over an existing table. The client decides on retries;
// with the SDK's default back-off, one failed response can cost a caller more
// than a second.
func New(client client, table string) *Store { return &Store{client: client, table: table} }

// read returns the row of key. If nothing is stored, only its key is set.
func (s *Store) read(ctx context.Context, key token.Key, c store.Consistency) (store.Row, error) {
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: keyOf(key), ConsistentRead: aws.Bool(c == store.Strong),
	})
	switch {
	case err != nil:
		return store.Row{}, fmt.Errorf("store: reading %v: %w", key, awserror.Wrap(err))
	case len(got.Item) == 0:
		return store.Row{Entry: store.Entry{Key: key}}, nil
	}
	return decode(got.Item)
}

// write updates one item conditionally. It reports whether the condition held
// and returns the stored row, strongly read; if the condition held, only if x
// requests it.
func (s *Store) write(ctx context.Context, key token.Key, x expression) (stands store.Row, done bool, err error) {
	wrote, err := s.client.UpdateItem(ctx, x.input(s.table, key))
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused) && len(refused.Item) > 0:
		stands, err = decode(refused.Item)
		return stands, false, err
	case refused != nil:
		stands, err = s.read(ctx, key, store.Strong)
		return stands, false, err
	case err != nil:
		return store.Row{}, false, fmt.Errorf("store: writing %v: %w", key, awserror.Wrap(err))
	case len(wrote.Attributes) > 0:
		stands, err = decode(wrote.Attributes)
	}
	return stands, true, err
}
