package dynamo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/pkg/awserror"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const shardsAtOnce = 8

// Due implements [store.Reader]: one request per shard and index, and one more
// per thousand entries that are due in it. Of the entries that have been due
// longest in each shard, twice its part of limit, it returns those that expire
// first. It omits items that it cannot read, which [Store.Get] and [Store.List]
// report: one damaged item must not stop the renewal of the others.
//
// What an older program has written is found by its index. A table that lacks
// the other index works as well: no provider is known before its terms are
// read, and an entry that waits for its next attempt is not overdue.
func (s *Store) Due(ctx context.Context, before time.Time, limit int) ([]store.Due, error) {
	perShard := min(limit, max(maxPage, 2*limit/Shards)) // bounds the memory
	var found [2 * Shards][]store.Due
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(shardsAtOnce)
	for n := range Shards {
		all.Go(func() (err error) {
			found[2*n], err = s.queuedIn(ctx, n, before, perShard)
			return err
		})
		all.Go(func() (err error) {
			found[2*n+1], err = s.dueIn(ctx, n, before, perShard)
			return err
		})
	}
	if err := all.Wait(); err != nil {
		return nil, fmt.Errorf("store: what is due: %w", awserror.Wrap(err))
	}
	var due []store.Due
	seen := map[token.Key]bool{}
	for _, d := range slices.Concat(found[:]...) {
		if !seen[d.Key] {
			seen[d.Key] = true
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b store.Due) int {
		return cmp.Or(
			a.ExpiresAt.Compare(b.ExpiresAt), a.NextAt.Compare(b.NextAt), cmp.Compare(a.Key.String(), b.Key.String()),
		)
	})
	return due[:min(limit, len(due))], nil
}

// queuedIn reads one shard of the index Queue in the order of its sort key.
func (s *Store) queuedIn(ctx context.Context, shard int, before time.Time, limit int) (due []store.Due, err error) {
	query := dynamodb.QueryInput{
		TableName: &s.table, IndexName: aws.String(Queue),
		KeyConditionExpression: aws.String("#due_shard = :shard AND #due_since <= :before"),
		ProjectionExpression: aws.String("#credential, #variant, #next_at, #expires_at, #variant_full, #alarm_at, " +
			"#provider_host, #provider_limit, #queued, #revision"),
		ExpressionAttributeValues: dueValues(shard, before),
	}
	query.ExpressionAttributeNames = places.Aliases(*query.KeyConditionExpression, *query.ProjectionExpression)
	err = s.query(ctx, query, limit, func(it item) error {
		d, err := decodeQueued(places.Plain(it))
		if err == nil && (!d.NextAt.After(before) || !d.AlarmAt.IsZero() && !d.AlarmAt.After(before)) {
			due = append(due, d)
		}
		return nil
	})
	if isWithoutIndex(err) {
		return nil, nil
	}
	return due, err
}

// dueValues returns the values in the key condition of a query of an index.
func dueValues(shard int, before time.Time) item {
	return item{":shard": attributevalue.Number(int64(shard)), ":before": attributevalue.Millis(before)}
}

// isWithoutIndex reports whether DynamoDB refused a query because the table
// does not have the index.
func isWithoutIndex(err error) bool {
	var refused smithy.APIError
	return errors.As(err, &refused) && refused.ErrorCode() == "ValidationException" &&
		strings.Contains(refused.ErrorMessage(), "index")
}

// dueIn reads one shard of the index of older programs in the order of its sort
// key.
func (s *Store) dueIn(ctx context.Context, shard int, before time.Time, limit int) (due []store.Due, err error) {
	query := dynamodb.QueryInput{
		TableName: &s.table, IndexName: aws.String(Index),
		KeyConditionExpression:    aws.String("#due_shard = :shard AND #next_at <= :before"),
		ProjectionExpression:      aws.String("#credential, #variant, #next_at, #expires_at, #variant_full"),
		ExpressionAttributeValues: dueValues(shard, before),
	}
	query.ExpressionAttributeNames = places.Aliases(*query.KeyConditionExpression, *query.ProjectionExpression)
	err = s.query(ctx, query, limit, func(it item) error {
		if d, err := decodeDue(places.Plain(it)); err == nil {
			d.AlarmAt = d.NextAt.Add(olderAlarm)
			due = append(due, d)
		}
		return nil
	})
	return due, err
}

// decodeDue decodes an item of an index, which has no format number.
func decodeDue(it item) (d store.Due, err error) {
	if d.Key, err = readKey(it); err != nil {
		return d, err
	}
	for name, into := range map[string]*time.Time{IndexSortKey: &d.NextAt, attrExpiresAt: &d.ExpiresAt} {
		if err := attributevalue.Decode(it[name], into); err != nil {
			return d, fmt.Errorf("%v: %s: %w", d.Key, name, err)
		}
	}
	return d, nil
}

// olderAlarm is how long after its NextAt an entry is overdue that an older
// program has written.
const olderAlarm = 2 * time.Minute

// decodeQueued decodes an item of the index Queue. Of what an older program has
// written since, only the times that it knows are right.
func decodeQueued(it item) (d store.Due, err error) {
	if d, err = decodeDue(it); err != nil {
		return d, err
	}
	var queued, revision int64
	for name, into := range map[string]any{
		attrAlarmAt: &d.AlarmAt, attrHost: &d.ProviderHost, attrLimit: &d.ProviderLimit,
		attrQueued: &queued, attrRevision: &revision,
	} {
		if err := attributevalue.Decode(it[name], into); err != nil {
			return d, fmt.Errorf("%v: %s: %w", d.Key, name, err)
		}
	}
	if queued != revision {
		d.AlarmAt, d.ProviderHost, d.ProviderLimit = d.NextAt.Add(olderAlarm), "", 0
	}
	return d, nil
}
