// Package places knows at which of two places of a table the item of a
// credential record stands. Its caller uses the keys of the first one.
//
// At the first place all records share the partition [Shared], where every read
// and write of a record would meet. At the other one a record stands in the
// partition of its credential, beside the entries, and its item in the shared
// partition is a marker. Markers are read to list the credentials, and older
// programs refuse to write over them.
//
// A record stands at one place at a time, see [Table.Move].
package places

import (
	"context"
	"maps"
	"math"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/store/dynamo/attributevalue"
)

// Shared is the partition of all credential records, sorted by name. It is also
// the sort key of a record in its credential's partition: no variant has it,
// and it is before all of them.
const Shared = "*"

// The table's keys.
const (
	PartitionKey = "credential"
	SortKey      = "variant"
)

// Attributes of records' items.
const (
	attrRevision = "revision"
	attrQueued   = "queued"
	attrFormat   = "format"
	attrForget   = "forget_at"
	attrHolder   = "holder"

	// attrMoved marks an item of a record that stands at the other place. Its
	// value is the number of the move.
	attrMoved = "moved"
	// attrMovedFormat is the format of the item before it was marked.
	attrMovedFormat = "moved_format"
	// attrMoves counts the moves of a record.
	attrMoves = "moves"
)

// movedFormat is the format of a marked item. No entry has it: a program that
// does not know of markers takes it for that of a newer program, and neither
// reads nor writes the item.
const movedFormat = 4

// renamed are the attributes that have other names in the partition of the
// credential: a program that does not know of records there passes over items
// without a revision when it lists a partition.
var renamed = map[string]string{attrRevision: "record_revision", attrQueued: "record_queued"}

// Client is the part of the SDK's client that is used.
type Client interface {
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

// Layout says where new records are stored and where they are looked for first.
type Layout int

// The layouts. With each, a record is found that was moved by another process.
const (
	// OnePartition stores all records in the partition [Shared].
	OnePartition Layout = iota
	// Moving stores a new record in its credential's partition and reads both
	// places.
	Moving
	// OwnPartitions stores and reads records in the partitions of their
	// credentials.
	OwnPartitions
)

// Table is a table whose credential records stand at either place.
type Table struct {
	Client Client
	Name   string
	Layout Layout
}

type item = map[string]types.AttributeValue

// place is where an item of a record stands.
type place int

const (
	shared place = iota
	own
)

func (p place) other() place { return own - p }

// home returns the place of new records.
func (t *Table) home() place {
	if t.Layout == OnePartition {
		return shared
	}
	return own
}

// spot is the key of an item, comparable.
type spot struct{ partition, sort string }

func spotOf(key item) spot {
	var s spot
	_ = attributevalue.Decode(key[PartitionKey], &s.partition)
	_ = attributevalue.Decode(key[SortKey], &s.sort)
	return s
}

func (s spot) key() item {
	return item{PartitionKey: attributevalue.Text(s.partition), SortKey: attributevalue.Text(s.sort)}
}

// isRecord reports whether a caller's key is that of a record.
func (s spot) isRecord() bool { return s.partition == Shared }

// at returns the spot of a record at a place.
func (s spot) at(p place) spot {
	if p == own {
		return spot{s.sort, Shared}
	}
	return s
}

// Plain returns an item as it would stand at the place that callers know. The
// item may be one of an index.
func Plain(it item) item {
	s := spotOf(it)
	if s.sort != Shared || s.partition == Shared {
		return it
	}
	plain := maps.Clone(it)
	plain[PartitionKey], plain[SortKey] = it[SortKey], it[PartitionKey]
	for name, stored := range renamed {
		if v, ok := it[stored]; ok {
			plain[name] = v
			delete(plain, stored)
		}
	}
	return plain
}

// number returns the number in an attribute: 0 if there is none, and the
// largest one if it is none of this program.
func number(it item, name string) int64 {
	var n int64
	if err := attributevalue.Decode(it[name], &n); err != nil {
		return math.MaxInt64
	}
	return n
}

// The states of an item, as [Plain] returns it. One that is marked and has a
// revision is to be moved: its content counts until the other place has it.
func isMarked(it item) bool    { return it[attrMoved] != nil }
func isCurrent(it item) bool   { return it[attrRevision] != nil && !isMarked(it) }
func isToBeMoved(it item) bool { return it[attrRevision] != nil && isMarked(it) }
func isEmpty(it item) bool     { return it[attrRevision] == nil && it[attrHolder] == nil && !isMarked(it) }
