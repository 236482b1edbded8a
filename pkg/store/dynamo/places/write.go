package places

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
)

// tries is how often a record is looked for at both places again while another
// process moves it.
const tries = 8

var errMoving = errors.New("the record is being moved by others")

// Update performs a conditional update of one item, at the place where it
// stands. creates: the condition is that nothing is stored. It reports whether
// the condition held, and returns the item: if it held, what in requests of it,
// else what is stored.
//
// The expressions of in name attributes by #name alone. Their condition refuses
// an item of a format that is newer than those of entries.
func (t *Table) Update(ctx context.Context, in *dynamodb.UpdateItemInput, creates bool) (item, bool, error) {
	s := spotOf(in.Key)
	if !s.isRecord() {
		return t.update(ctx, s, in)
	}
	for range tries {
		for _, p := range []place{t.home(), t.home().other()} {
			if creates && p == own {
				if marked, err := t.mark(ctx, s); err != nil {
					return nil, false, err
				} else if !marked {
					continue
				}
			}
			it, done, err := t.update(ctx, s.at(p), in)
			stands := it != nil || p == shared // where nothing is in the shared partition, nothing is elsewhere
			if err != nil || done || stands && !isMarked(it) {
				return it, done, err
			}
		}
		it, again, err := t.complete(ctx, s)
		if err != nil || !again {
			return it, false, err
		}
	}
	return nil, false, errMoving
}

// update performs an update of the item at a spot.
func (t *Table) update(ctx context.Context, s spot, in *dynamodb.UpdateItemInput) (item, bool, error) {
	wrote, err := t.Client.UpdateItem(ctx, input(s, in))
	var refused *types.ConditionalCheckFailedException
	switch {
	case errors.As(err, &refused) && len(refused.Item) > 0:
		return Plain(refused.Item), false, nil
	case refused != nil:
		found, err := t.fetch(ctx, true, []spot{s})
		return found[s], false, err
	case err != nil:
		return nil, false, err
	case len(wrote.Attributes) > 0:
		return Plain(wrote.Attributes), true, nil
	}
	return nil, true, nil
}

// input returns the input for the item at a spot.
func input(s spot, in *dynamodb.UpdateItemInput) *dynamodb.UpdateItemInput {
	there := *in
	there.Key = s.key()
	if s.sort == Shared {
		there.ExpressionAttributeNames = maps.Clone(in.ExpressionAttributeNames)
		for alias, name := range in.ExpressionAttributeNames {
			if stored, ok := renamed[name]; ok {
				there.ExpressionAttributeNames[alias] = stored
			}
		}
	}
	return &there
}

// Touch performs an update whose refusal means nothing, at the place where the
// item stands.
func (t *Table) Touch(ctx context.Context, in *dynamodb.UpdateItemInput) error {
	s := spotOf(in.Key)
	spots := []spot{s}
	if s.isRecord() {
		spots = []spot{s.at(t.home()), s.at(t.home().other())}
	}
	for _, s := range spots {
		_, err := t.Client.UpdateItem(ctx, input(s, in))
		var refused *types.ConditionalCheckFailedException
		if !errors.As(err, &refused) {
			return err
		}
		if t.Layout == OnePartition && !isMarked(refused.Item) {
			return nil
		}
	}
	return nil
}

// Delete deletes an item; of a record those at both places.
func (t *Table) Delete(ctx context.Context, key item) error {
	s := spotOf(key)
	if s.isRecord() {
		in := &dynamodb.DeleteItemInput{TableName: &t.Name, Key: s.at(own).key()}
		if _, err := t.Client.DeleteItem(ctx, in); err != nil {
			return err
		}
	}
	_, err := t.Client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &t.Name, Key: key})
	return err
}

// mark marks the item of a record in the shared partition, before the record is
// created in its credential's partition. false: a record or the lease on one
// stands in the shared partition.
func (t *Table) mark(ctx context.Context, s spot) (bool, error) {
	_, done, err := t.change(ctx, s.at(shared), change{
		update:    "SET #moved = if_not_exists(#moved, :zero), #format = :marked REMOVE #forget_at",
		condition: "attribute_not_exists(#revision) AND attribute_not_exists(#holder)",
		values:    item{":zero": attributevalue.Number(0), ":marked": attributevalue.Number(movedFormat)},
	})
	return done, err
}

// change is a conditional update of a marker or for one.
type change struct {
	update, condition string
	values            item
}

// change performs a change and returns the item, see [Table.Update].
func (t *Table) change(ctx context.Context, s spot, c change) (item, bool, error) {
	return t.update(ctx, s, &dynamodb.UpdateItemInput{
		TableName: &t.Name, UpdateExpression: &c.update, ConditionExpression: aws.String(c.condition),
		ExpressionAttributeNames: Aliases(c.update, c.condition), ExpressionAttributeValues: c.values,
		ReturnValues:                        types.ReturnValueAllNew,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
}

// nameLetters are what the names of attributes consist of.
const nameLetters = "abcdefghijklmnopqrstuvwxyz_"

// Aliases maps each #name in the expressions to its attribute name.
func Aliases(expressions ...string) map[string]string {
	names := map[string]string{}
	for _, x := range expressions {
		for {
			_, after, more := strings.Cut(x, "#")
			if !more {
				break
			}
			x = strings.TrimLeft(after, nameLetters)
			name := after[:len(after)-len(x)]
			names["#"+name] = name
		}
	}
	return names
}
