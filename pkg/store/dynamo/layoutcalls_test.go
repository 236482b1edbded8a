package dynamo_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// What a program sees of a table that does not know of the layouts: it takes a
// marker for an item of a newer program, and does not find a record in the
// credential's partition.
func TestOlderProgramLeavesMovedRecordsAlone(t *testing.T) {
	l := openLayouts(t, places.Moving)
	stored(t, l, places.OnePartition)
	entry := put(t, l, store.Entry{Key: key, NextAt: noon})
	if moved, left := move(t, l.mover); moved != 1 || left != 0 {
		t.Errorf("MoveRecords() = %d, %d left, want 1 and none", moved, left)
	}
	marker := l.item(t, record)
	if got := number(t, marker["format"]); got <= 3 || marker["revision"] != nil || marker["sealed"] != nil {
		t.Errorf("the marker = %v, want a newer format, and neither a revision nor anything sealed", marker)
	}
	page, err := l.List(t.Context(), "minut", "", 10)
	if err != nil || len(page) != 1 || page[0].Key != entry.Key {
		t.Errorf("List(minut) = %v, %v, want the entry alone", page, err)
	}
	due, err := l.Due(t.Context(), noon.Add(time.Hour), 10)
	if err != nil || len(due) != 1 || due[0].Key != entry.Key {
		t.Errorf("Due() = %v, %v, want the entry alone", due, err)
	}
	moved := l.item(t, token.Key{Credential: "minut", Variant: token.Variant{}})
	if moved["revision"] == nil {
		t.Errorf("the entry = %v, want it as before", moved)
	}
}

// With records in the partitions of their credentials, no call reads the
// shared partition except lists and the creation of a record.
func TestRequestsPerCallOfOwnPartitions(t *testing.T) {
	var j journal
	s := open(t, testbed.DynamoDB(t), func(next http.RoundTripper) http.RoundTripper {
		return j.wrap(newAsAWS(next))
	}).WithLayout(places.OwnPartitions)
	var e store.Entry
	var err error
	for _, step := range []struct {
		call, want string
		do         func()
	}{
		{"Replace that creates", "UpdateItem UpdateItem", func() {
			e, err = s.Replace(t.Context(), store.Entry{Key: record}, store.Entry{Generation: 7})
		}},
		{"Replace", "UpdateItem", func() { e, err = s.Replace(t.Context(), e, e) }},
		{"Get of one", "GetItem", func() { _, err = s.Get(t.Context(), store.Eventual, record) }},
		{"Get of two", "BatchGetItem", func() { _, err = s.Get(t.Context(), store.Eventual, record, key) }},
		{"Get of nothing", "GetItem", func() { _, err = s.Get(t.Context(), store.Eventual, token.RecordKey("no")) }},
		{"List", "Query GetItem", func() { _, err = s.List(t.Context(), token.RecordPartition, "", 10) }},
	} {
		requests := j.during(step.do)
		if made := operations(requests); made != step.want || err != nil {
			t.Errorf("%s makes %q, %v, want %q", step.call, made, err, step.want)
		}
		for _, r := range requests[1:] {
			if strings.Contains(string(r.raw), `"credential":{"S":"*"}`) {
				t.Errorf("%s requests %s, want no item of the shared partition", step.call, r.raw)
			}
		}
	}
}

// Who may write the table forges markers: a record is read all the same, and
// moved.
func TestAttack17_ForgedMarkersStopNoRecord(t *testing.T) {
	for _, n := range []string{"0", "1", "9223372036854775807", "1e30", "-1"} {
		l := openLayouts(t, places.OwnPartitions)
		e := stored(t, l, places.OnePartition)
		forged := map[string]types.AttributeValue{
			places.PartitionKey: &types.AttributeValueMemberS{Value: "minut"},
			places.SortKey:      &types.AttributeValueMemberS{Value: places.Shared},
			"moved":             &types.AttributeValueMemberN{Value: n},
			"format":            &types.AttributeValueMemberN{Value: "4"},
		}
		in := &dynamodb.PutItemInput{TableName: &l.name, Item: forged}
		if _, err := l.client.PutItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		l.alter(t, record, "moves", &types.AttributeValueMemberN{Value: n})
		l.reads(t, "forged "+n, e)
		if moved, left := move(t, l.mover); moved != 1 || left != 0 {
			t.Errorf("MoveRecords() over a marker of move %s = %d, %d left, want 1 and none", n, moved, left)
		}
		l.all["own"] = l.mover
		l.reads(t, "moved over "+n, e)
	}
}
