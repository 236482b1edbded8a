package dynamo

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
)

const (
	shardsAtOnce = 8
	maxPage      = 1000 // items in one page of a query
)

// Due implements [store.Reader]: one request per shard, and one more per
// thousand entries that are due in it. Of the limit entries that have been due
// longest in each shard it returns those that expire first. It omits items that
// it cannot read, which [Store.Get] and [Store.List] report: one damaged item
// must not stop the renewal of the others.
func (s *Store) Due(ctx context.Context, before time.Time, limit int) ([]store.Due, error) {
	var shards [Shards][]store.Due
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(shardsAtOnce)
	for n := range shards {
		all.Go(func() (err error) {
			shards[n], err = s.dueIn(ctx, n, before, limit)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("store: what is due: %w", awserror.Wrap(err))
	}
	due := slices.Concat(shards[:]...)
	slices.SortFunc(due, func(a, b store.Due) int {
		return cmp.Or(
			a.ExpiresAt.Compare(b.ExpiresAt), a.NextAt.Compare(b.NextAt), cmp.Compare(a.Key.String(), b.Key.String()),
		)
	})
	return due[:min(limit, len(due))], nil
}

// dueIn reads one shard of the index in the order of its sort key.
func (s *Store) dueIn(ctx context.Context, shard int, before time.Time, limit int) ([]store.Due, error) {
	query := dynamodb.QueryInput{
		TableName: &s.table, IndexName: aws.String(Index),
		KeyConditionExpression:    aws.String("#due_shard = :shard AND #next_at <= :before"),
		ProjectionExpression:      aws.String("#credential, #variant, #next_at, #expires_at, #variant_full"),
		ExpressionAttributeValues: item{":shard": number(int64(shard)), ":before": millis(before)},
	}
	query.ExpressionAttributeNames = aliases(*query.KeyConditionExpression, *query.ProjectionExpression)
	var due []store.Due
	err := s.query(ctx, query, limit, func(it item) error {
		if d, err := decodeDue(it); err == nil {
			due = append(due, d)
		}
		return nil
	})
	return due, err
}

// decodeDue decodes an item of the index, which has no format number.
func decodeDue(it item) (d store.Due, err error) {
	if d.Key, err = readKey(it); err != nil {
		return d, err
	}
	for name, into := range map[string]*time.Time{IndexSortKey: &d.NextAt, attrExpiresAt: &d.ExpiresAt} {
		if err := decodeValue(it[name], into); err != nil {
			return d, fmt.Errorf("%v: %s: %w", d.Key, name, err)
		}
	}
	return d, nil
}
