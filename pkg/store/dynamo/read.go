package dynamo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	maxBatch     = 100 // DynamoDB's limit for one BatchGetItem
	batchTries   = 10
	firstPause   = 10 * time.Millisecond
	longestPause = 200 * time.Millisecond
)

// errUnanswered means that DynamoDB omitted requested keys repeatedly, which is
// how it throttles a batch.
var errUnanswered = errors.New("throttled: some keys of a batch were not read")

// Get implements [store.Reader]: one request per hundred distinct keys.
func (s *Store) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	found := make(map[token.Key]store.Entry, len(keys))
	var missing []token.Key
	for _, key := range keys {
		if _, twice := found[key]; !twice {
			found[key] = store.Entry{Key: key}
			missing = append(missing, key)
		}
	}
	for some := range slices.Chunk(missing, maxBatch) {
		if err := s.getSome(ctx, c, some, found); err != nil {
			return nil, err
		}
	}
	entries := make([]store.Entry, len(keys))
	for i, key := range keys {
		entries[i] = found[key].Stored()
	}
	return entries, nil
}

func (s *Store) getSome(
	ctx context.Context, c store.Consistency, keys []token.Key, found map[token.Key]store.Entry,
) error {
	if len(keys) == 1 {
		row, err := s.read(ctx, keys[0], c)
		found[keys[0]] = row.Entry
		return err
	}
	ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(c == store.Strong)}
	for _, key := range keys {
		ask.Keys = append(ask.Keys, keyOf(key))
	}
	if err := s.batch(ctx, ask, found); err != nil {
		return fmt.Errorf("store: reading %v: %w", keys, awserror.Wrap(err))
	}
	return nil
}

func (s *Store) batch(ctx context.Context, ask types.KeysAndAttributes, found map[token.Key]store.Entry) error {
	pause := firstPause
	for range batchTries {
		got, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: ask},
		})
		if err != nil {
			return err
		}
		for _, it := range got.Responses[s.table] {
			row, err := decode(it)
			if err != nil {
				return err
			}
			found[row.Entry.Key] = row.Entry
		}
		if ask = got.UnprocessedKeys[s.table]; len(ask.Keys) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		}
	}
	return errUnanswered
}

// List implements [store.Reader]: one request per megabyte of the partition,
// including leased keys that were never written.
func (s *Store) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	query := dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    aws.String("#credential = :partition"),
		FilterExpression:          aws.String("attribute_exists(#revision)"),
		ExpressionAttributeValues: item{":partition": attributevalue.Text(partition)},
	}
	if after != "" {
		query.KeyConditionExpression = aws.String("#credential = :partition AND #variant > :after")
		query.ExpressionAttributeValues[":after"] = attributevalue.Text(after)
	}
	query.ExpressionAttributeNames = aliases(*query.KeyConditionExpression, *query.FilterExpression)
	var entries []store.Entry
	err := s.query(ctx, query, limit, func(it item) error {
		row, err := decode(it)
		entries = append(entries, row.Entry)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: listing %s: %w", partition, awserror.Wrap(err))
	}
	return entries, nil
}

// query passes the first limit items of a query to take, page by page.
func (s *Store) query(ctx context.Context, query dynamodb.QueryInput, limit int, take func(item) error) error {
	for limit > 0 {
		query.Limit = aws.Int32(int32(min(limit, maxPage)))
		page, err := s.client.Query(ctx, &query)
		if err != nil {
			return err
		}
		for _, it := range page.Items {
			if err := take(it); err != nil {
				return err
			}
		}
		if len(page.LastEvaluatedKey) == 0 {
			return nil
		}
		query.ExclusiveStartKey = page.LastEvaluatedKey
		limit -= len(page.Items)
	}
	return nil
}
