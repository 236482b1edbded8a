package dynamo

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// maxPage bounds the items in one page of a query.
const maxPage = 1000

// Get implements [store.Reader]: one request per hundred distinct keys.
func (s *Store) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	found := make(map[token.Key]store.Entry, len(keys))
	var wanted []item
	for _, key := range keys {
		if _, twice := found[key]; !twice {
			found[key] = store.Entry{Key: key}
			wanted = append(wanted, keyOf(key))
		}
	}
	items, err := s.items.Get(ctx, c == store.Strong, wanted)
	if err != nil {
		return nil, fmt.Errorf("store: reading %v: %w", keys, awserror.Wrap(err))
	}
	for _, it := range items {
		if it == nil {
			continue
		}
		row, err := decode(it)
		if err != nil {
			return nil, err
		}
		found[row.Entry.Key] = row.Entry
	}
	entries := make([]store.Entry, len(keys))
	for i, key := range keys {
		entries[i] = found[key].Stored()
	}
	return entries, nil
}

// List implements [store.Reader]: one request per megabyte of the partition,
// including leased keys that were never written. Records that stand in the
// partitions of their credentials take one more per hundred.
func (s *Store) List(ctx context.Context, partition, after string, limit int) ([]store.Entry, error) {
	if partition == token.RecordPartition {
		return s.listRecords(ctx, after, limit)
	}
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
	query.ExpressionAttributeNames = places.Aliases(*query.KeyConditionExpression, *query.FilterExpression)
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

func (s *Store) listRecords(ctx context.Context, after string, limit int) ([]store.Entry, error) {
	items, err := s.items.Records(ctx, after, limit)
	if err != nil {
		return nil, fmt.Errorf("store: listing credential records: %w", awserror.Wrap(err))
	}
	entries := make([]store.Entry, len(items))
	for i, it := range items {
		row, err := decode(it)
		if err != nil {
			return nil, err
		}
		entries[i] = row.Entry
	}
	return entries, nil
}

// MoveRecords implements [store.Mover].
func (s *Store) MoveRecords(ctx context.Context, report func(credential string, err error)) (moved int, err error) {
	moved, err = s.items.MoveAll(ctx, func(name string, err error) {
		report(name, fmt.Errorf("store: moving the credential record: %w", awserror.Wrap(err)))
	})
	if err != nil {
		err = fmt.Errorf("store: moving credential records: %w", awserror.Wrap(err))
	}
	return moved, err
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
