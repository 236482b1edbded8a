package places

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
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

// Get reads the items of distinct keys and returns them in the order of keys,
// nil where there is none. That is one request per hundred items, and one more
// if a record is not where it was looked for.
func (t *Table) Get(ctx context.Context, consistent bool, keys []item) ([]item, error) {
	var wanted []spot
	for _, key := range keys {
		s := spotOf(key)
		if !s.isRecord() {
			wanted = append(wanted, s)
			continue
		}
		wanted = append(wanted, s.at(t.home()))
		if t.Layout == Moving {
			wanted = append(wanted, s.at(t.home().other()))
		}
	}
	found, err := t.fetch(ctx, consistent, wanted)
	if err != nil {
		return nil, err
	}
	return t.resolve(ctx, found, keys)
}

// resolve returns the items of keys, of those that were found. Where only a
// marker was found, it reads both places, strongly: the record may just have
// been moved.
func (t *Table) resolve(ctx context.Context, found map[spot]item, keys []item) ([]item, error) {
	all := make([]item, len(keys))
	var unclear []spot
	for i, key := range keys {
		s := spotOf(key)
		if !s.isRecord() {
			all[i] = found[s]
			continue
		}
		var marked bool
		if all[i], marked = choose(found[s.at(shared)], found[s.at(own)]); marked {
			unclear = append(unclear, s.at(shared), s.at(own))
		}
	}
	if len(unclear) == 0 {
		return all, nil
	}
	again, err := t.fetch(ctx, true, unclear)
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		if s := spotOf(key); slices.Contains(unclear, s.at(shared)) {
			all[i], _ = choose(again[s.at(shared)], again[s.at(own)])
		}
	}
	return all, nil
}

// choose returns a record by its items at both places, nil if there is none.
// marked: it may stand at a place that was not read, or not yet.
func choose(inShared, inOwn item) (it item, marked bool) {
	switch {
	case isCurrent(inShared) && isCurrent(inOwn):
		return newer(inShared, inOwn), false
	case isCurrent(inOwn):
		return inOwn, false
	case isCurrent(inShared):
		return inShared, false
	case isToBeMoved(inShared) && isToBeMoved(inOwn):
		return unmarked(pair{inShared, inOwn}[laterMove(inShared, inOwn)]), true
	case isToBeMoved(inShared):
		return unmarked(inShared), true
	case isToBeMoved(inOwn):
		return unmarked(inOwn), true
	}
	for _, claimed := range []item{inOwn, inShared} { // leased, and never written
		if claimed != nil && !isMarked(claimed) {
			return claimed, false
		}
	}
	return nil, isMarked(inShared) || isMarked(inOwn)
}

// newer returns the newer of two items. Only a table that was restored in the
// middle of a move, or altered, has both.
func newer(inShared, inOwn item) item {
	if compare(inShared, inOwn) > 0 {
		return inShared
	}
	return inOwn
}

func compare(a, b item) int {
	const generation = "generation"
	return cmp.Or(
		cmp.Compare(number(a, generation), number(b, generation)),
		cmp.Compare(number(a, attrRevision), number(b, attrRevision)),
	)
}

// unmarked returns an item as it was before it was marked.
func unmarked(it item) item {
	before := maps.Clone(it)
	for _, name := range []string{attrFormat, attrMoved, attrMovedFormat} {
		delete(before, name)
	}
	if format, ok := it[attrMovedFormat]; ok {
		before[attrFormat] = format
	}
	return before
}

// fetch reads items, as [Plain] returns them, by where they stand.
func (t *Table) fetch(ctx context.Context, consistent bool, spots []spot) (map[spot]item, error) {
	found := make(map[spot]item, len(spots))
	if len(spots) == 1 {
		got, err := t.Client.GetItem(ctx, &dynamodb.GetItemInput{
			TableName: &t.Name, Key: spots[0].key(), ConsistentRead: aws.Bool(consistent),
		})
		if err == nil && len(got.Item) > 0 {
			found[spots[0]] = Plain(got.Item)
		}
		return found, err
	}
	for some := range slices.Chunk(spots, maxBatch) {
		ask := types.KeysAndAttributes{ConsistentRead: aws.Bool(consistent)}
		for _, s := range some {
			ask.Keys = append(ask.Keys, s.key())
		}
		if err := t.batch(ctx, ask, found); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (t *Table) batch(ctx context.Context, ask types.KeysAndAttributes, found map[spot]item) error {
	pause := firstPause
	for range batchTries {
		got, err := t.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{t.Name: ask},
		})
		if err != nil {
			return err
		}
		for _, it := range got.Responses[t.Name] {
			found[spotOf(it)] = Plain(it)
		}
		if ask = got.UnprocessedKeys[t.Name]; len(ask.Keys) == 0 {
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

// maxPage is how many items one page of a query has.
const maxPage = 1000

// Records returns the items of up to limit records in the order of their names,
// after a name. It may miss recent writes.
func (t *Table) Records(ctx context.Context, after string, limit int) ([]item, error) {
	query := t.partition(after)
	query.FilterExpression = aws.String("attribute_exists(#revision) OR attribute_exists(#moved)")
	query.ExpressionAttributeNames["#revision"] = attrRevision
	query.ExpressionAttributeNames["#moved"] = attrMoved
	var all []item
	for len(all) < limit {
		query.Limit = aws.Int32(int32(min(limit-len(all), maxPage))) // #nosec G115 -- at most maxPage
		page, err := t.Client.Query(ctx, query)
		if err != nil {
			return nil, err
		}
		some, err := t.followed(ctx, page.Items)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(page.LastEvaluatedKey) == 0 {
			break
		}
		query.ExclusiveStartKey = page.LastEvaluatedKey
	}
	return all, nil
}

// partition returns a query of the shared partition after a name.
func (t *Table) partition(after string) *dynamodb.QueryInput {
	query := dynamodb.QueryInput{
		TableName:                 &t.Name,
		KeyConditionExpression:    aws.String("#credential = :partition"),
		ExpressionAttributeNames:  map[string]string{"#credential": PartitionKey},
		ExpressionAttributeValues: item{":partition": attributevalue.Text(Shared)},
	}
	if after != "" {
		query.KeyConditionExpression = aws.String("#credential = :partition AND #variant > :after")
		query.ExpressionAttributeNames["#variant"] = SortKey
		query.ExpressionAttributeValues[":after"] = attributevalue.Text(after)
	}
	return &query
}

// followed returns the records of items of the shared partition, in which those
// that have been moved are marked.
func (t *Table) followed(ctx context.Context, items []item) ([]item, error) {
	var keys []item
	var elsewhere []spot
	found := map[spot]item{}
	for _, it := range items {
		s := spotOf(it)
		keys, found[s] = append(keys, s.key()), it
		if isMarked(it) {
			elsewhere = append(elsewhere, s.at(own))
		}
	}
	if len(elsewhere) > 0 {
		there, err := t.fetch(ctx, false, elsewhere)
		if err != nil {
			return nil, err
		}
		maps.Copy(found, there)
	}
	all, err := t.resolve(ctx, found, keys)
	return slices.DeleteFunc(all, func(it item) bool { return it[attrRevision] == nil }), err
}

// pair is the items of a record at both places.
type pair [2]item

// laterMove returns the place of the later one of two moves.
func laterMove(inShared, inOwn item) place {
	if number(inShared, attrMoved) > number(inOwn, attrMoved) {
		return shared
	}
	return own
}
