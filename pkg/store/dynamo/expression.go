package dynamo

import (
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// expression is a conditional update. In it, #name stands for the attribute
// name, because many names are reserved words, and :name for a value.
type expression struct {
	update, condition string
	creates           bool // the condition is that nothing is stored
	values            item
	returns           types.ReturnValue // "": nothing that was written
}

// knownFormat keeps a program from writing an item of a newer one.
const knownFormat = " AND (attribute_not_exists(#format) OR #format <= :known)"

func (x expression) input(table string, key token.Key) *dynamodb.UpdateItemInput {
	condition := x.condition + knownFormat
	x.values[":known"] = attributevalue.Number(format)
	return &dynamodb.UpdateItemInput{
		TableName: &table, Key: keyOf(key),
		UpdateExpression: &x.update, ConditionExpression: &condition,
		ExpressionAttributeNames: places.Aliases(x.update, condition), ExpressionAttributeValues: x.values,
		ReturnValues: x.returns, ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
}

// claim takes the lease on seen by store.Row's rule of Acquire.
func claim(seen store.Entry, id string, now time.Time, ttl time.Duration) expression {
	x := expression{
		update: "SET #holder = :holder, #leased_until = :until, #format = if_not_exists(#format, :one)",
		values: item{
			":holder": attributevalue.Text(id), ":until": attributevalue.Millis(now.Add(ttl)),
			":one": attributevalue.Number(1),
		},
		returns: types.ReturnValueAllNew,
	}
	x.require(seen, now)
	if long := variantFull(seen.Key); long != "" {
		x.update += ", #variant_full = :variant_full"
		x.values[":variant_full"] = attributevalue.Text(long)
	}
	if until := now.Add(abandoned); seen.Revision == 0 || !seen.ForgetAt.IsZero() && seen.ForgetAt.Before(until) {
		// a row must not be deleted while it is leased, nor stay for ever if it
		// is never written
		x.update += ", #forget_at = :forget_at"
		x.values[":forget_at"] = attributevalue.Seconds(until)
	}
	x.update += " ADD #vanished :one"
	return x
}

// require adds the condition that the revision is seen's and that the row is
// not leased, by store.Row's rule.
func (x *expression) require(seen store.Entry, now time.Time) {
	x.requireRevision(seen.Revision)
	x.condition += " AND (attribute_not_exists(#holder) OR attribute_not_exists(#leased_until)" +
		" OR #leased_until <= :now OR #leased_until > :latest)"
	x.values[":now"], x.values[":latest"] = attributevalue.Millis(now), attributevalue.Millis(now.Add(store.MaxLease))
}

func (x *expression) requireRevision(revision int64) {
	if revision == 0 {
		x.creates = true
		x.condition = "attribute_not_exists(#revision)"
		return
	}
	x.condition = "#revision = :seen"
	x.values[":seen"] = attributevalue.Number(revision)
}

// put writes row completely and removes the attributes that row does not have.
// The attributes in keep are left as they are.
func put(row store.Row, keep ...string) expression {
	x := expression{values: item{}}
	it := encode(row)
	var set, remove []string
	for _, name := range everyName() {
		value, ok := it[name]
		switch {
		case slices.Contains(keep, name):
		case !ok:
			remove = append(remove, "#"+name)
		default:
			set = append(set, "#"+name+" = :"+name)
			x.values[":"+name] = value
		}
	}
	// holder, at least, is always removed
	x.update = "SET " + strings.Join(set, ", ") + " REMOVE " + strings.Join(remove, ", ")
	return x
}

// everyName returns all attributes except the keys.
func everyName() []string {
	names := derived()
	for _, a := range attributes(new(store.Row)) {
		names = append(names, a.name)
	}
	return names
}
