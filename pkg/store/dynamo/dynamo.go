// Package dynamo keeps entries in one DynamoDB table: for the functions.
//
// A row's time to live is deleted by DynamoDB some time after forget_at, not at it. Every condition is checked, and every lease counted, by the caller's clock.
package dynamo

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The table's schema: what template.yaml has to say. The sparse index has keys of its own and includes [IndexedBesides].
const (
	PartitionKey      = "credential" // S
	SortKey           = "variant"    // S
	Index             = "due"
	IndexPartitionKey = "due_shard" // N, from 0 to Shards-1
	IndexSortKey      = "next_at"   // N, milliseconds since 1970
	TimeToLive        = "forget_at" // N, seconds since 1970
	Shards            = 16
)

// IndexedBesides lists what the index includes besides the keys of both: all that [Store.Due] reads.
func IndexedBesides() []string { return []string{attrExpiresAt, attrVariantFull} }

// client is what of the SDK's client is called.
type client interface {
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	UpdateItem(context.Context, *dynamodb.UpdateItemInput, ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error)
	DeleteItem(context.Context, *dynamodb.DeleteItemInput, ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error)
}

// Store is a [store.Store] over one table, which any number of processes may share.
type Store struct {
	client client
	table  string
}

var _ store.Store = (*Store)(nil)

// New makes a Store over a table that is there already. How often a request is repeated is the client's affair: the SDK's own back-off lets one failed answer cost a caller more than a second.
func New(client client, table string) *Store { return &Store{client: client, table: table} }

// read returns the row of key, or one of which nothing is stored.
func (s *Store) read(ctx context.Context, key token.Key, c store.Consistency) (store.Row, error) {
	got, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: keyOf(key), ConsistentRead: aws.Bool(c == store.Strong)})
	switch {
	case err != nil:
		return store.Row{}, fmt.Errorf("store: reading %v: %w", key, err)
	case len(got.Item) == 0:
		return store.Row{Entry: store.Entry{Key: key}}, nil
	}
	return decode(got.Item)
}

// write does a conditional update of one item, done or not done. It returns the row that stands then, strongly read; where it was done, only if x asks for it.
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
		return store.Row{}, false, fmt.Errorf("store: writing %v: %w", key, err)
	case len(wrote.Attributes) > 0:
		stands, err = decode(wrote.Attributes)
	}
	return stands, true, err
}
