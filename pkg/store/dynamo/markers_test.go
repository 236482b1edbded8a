package dynamo_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
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

// Processes of all layouts write one record while others move it there and
// back. No write is lost, and no list misses a record.
func TestWritesDuringMovesAreKept(t *testing.T) {
	l := openLayouts(t, places.Moving)
	names := []string{"minu", "minut", "minuta"}
	for _, name := range names {
		put(t, l, store.Entry{Key: token.RecordKey(name), Generation: 1})
	}
	var writers, movers sync.WaitGroup
	over := make(chan struct{})
	for _, s := range []*dynamo.Store{l.all["one"], l.all["moving"]} {
		movers.Go(func() {
			for isOpen(over) {
				// one of two that move a record apart may give up
				_, _ = s.MoveRecords(t.Context(), func(string, error) {})
				listed, err := s.List(t.Context(), token.RecordPartition, "", 10)
				if err != nil || len(listed) != len(names) {
					t.Errorf("List() during moves = %d records, %v, want %d", len(listed), err, len(names))
				}
			}
		})
		for range 2 {
			writers.Go(func() { increment(t, s, 10) })
		}
	}
	writers.Wait()
	close(over)
	movers.Wait()
	if got := get(t, l.all["one"], record); got.Generation != 41 || got.Revision != 41 {
		t.Errorf("Get() after 40 writes = generation %d, revision %d, want 41 and 41", got.Generation, got.Revision)
	}
}

func isOpen(c chan struct{}) bool {
	select {
	case <-c:
		return false
	default:
		return true
	}
}

// increment raises the generation of the record n times.
func increment(t *testing.T, s *dynamo.Store, n int) {
	for n > 0 {
		entries, err := s.Get(t.Context(), store.Strong, record)
		if err != nil {
			t.Errorf("Get() during moves = %v, want no error", err)
			return
		}
		next := entries[0]
		next.Generation++
		if _, err := s.Replace(t.Context(), entries[0], next); err == nil {
			n--
		}
	}
}

// deleteOwn deletes the record in the credential's partition, as DynamoDB does
// after its time.
func (l *layouts) deleteOwn(t *testing.T) {
	t.Helper()
	in := &dynamodb.DeleteItemInput{TableName: &l.name, Key: map[string]types.AttributeValue{
		places.PartitionKey: &types.AttributeValueMemberS{Value: "minut"},
		places.SortKey:      &types.AttributeValueMemberS{Value: places.Shared},
	}}
	if _, err := l.client.DeleteItem(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// DynamoDB deletes a record after its time, and leaves the marker.
func TestRecordIsCreatedAgainOverItsMarker(t *testing.T) {
	for _, again := range []string{"one", "moving", "own"} {
		l := openLayouts(t, places.OnePartition)
		stored(t, l, places.OwnPartitions)
		l.deleteOwn(t)
		for name, s := range l.all {
			listed, err := s.List(t.Context(), token.RecordPartition, "", 10)
			if got := get(t, s, record).Revision; got != 0 || len(listed) != 0 || err != nil {
				t.Errorf("layout %s: Get() = revision %d, List() = %d, %v, want nothing", name, got, len(listed), err)
			}
		}
		e := put(t, l.all[again], store.Entry{Key: record, Generation: 9})
		l.reads(t, "created again in layout "+again, e)
	}
}

// After a move back, a record is as an older program wrote it. It can be
// deleted and created again at either place.
func TestMoveBackLeavesNoMarker(t *testing.T) {
	l := openLayouts(t, places.OnePartition)
	e := stored(t, l, places.OwnPartitions)
	move(t, l.mover)
	l.reads(t, "moved back", e)
	got := l.item(t, record)
	if got["moved"] != nil || number(t, got["format"]) != 3 || number(t, got["revision"]) != 1 {
		t.Errorf("the item that was moved back = %v, want it as an older program wrote it", got)
	}
	for _, create := range []*dynamo.Store{l.mover, l.all["own"]} { // over what a move back has left
		if err := l.Delete(t.Context(), record); err != nil {
			t.Fatal(err)
		}
		e = put(t, create, e)
		l.all = map[string]*dynamo.Store{"one": l.all["one"], "moving": l.all["moving"], "creator": create}
		l.reads(t, "created again", e)
	}
	if marker := l.item(t, record); marker["moved"] == nil || marker["forget_at"] != nil {
		t.Errorf("the marker = %v, want one that stays", marker)
	}
	if err := l.Delete(t.Context(), record); err != nil || len(l.item(t, record)) != 0 {
		t.Errorf("Delete() = %v and leaves %v, want nothing", err, l.item(t, record))
	}
}

// A marker without a record, as DynamoDB leaves it, is removed by a move back.
// One that is put over it stays as long as its record.
func TestMoveBackRemovesMarkersWithoutRecords(t *testing.T) {
	l := openLayouts(t, places.OnePartition)
	stored(t, l, places.OwnPartitions)
	l.deleteOwn(t)
	move(t, l.mover)
	if got := l.item(t, record); got["moved"] != nil || number(t, got["format"]) != 1 || got["forget_at"] == nil {
		t.Errorf("the marker = %v, want an item without anything, to be deleted by DynamoDB", got)
	}
	stored(t, l, places.OwnPartitions)
	if got := l.item(t, record); got["moved"] == nil || got["forget_at"] != nil {
		t.Errorf("the marker of the record that was created again = %v, want one that stays", got)
	}
}

// Two items can be on their way to each other's place in a table that was
// restored or altered: the later move counts.
func TestLaterOfTwoMovesCounts(t *testing.T) {
	for _, later := range []string{"shared", "own"} {
		l := openLayouts(t, places.OnePartition)
		e := stored(t, l, places.OnePartition)
		inShared, inOwn := l.item(t, record), l.item(t, record)
		for _, it := range []map[string]types.AttributeValue{inShared, inOwn} {
			it["moved_format"], it["format"] = it["format"], &types.AttributeValueMemberN{Value: "4"}
			it["moved"] = &types.AttributeValueMemberN{Value: "1"}
		}
		counts := map[string]map[string]types.AttributeValue{"shared": inShared, "own": inOwn}[later]
		counts["moved"] = &types.AttributeValueMemberN{Value: "2"}
		counts["generation"] = &types.AttributeValueMemberN{Value: "8"}
		e.Generation = 8
		inOwn["credential"], inOwn["variant"] = inOwn["variant"], inOwn["credential"]
		inOwn["record_revision"] = inOwn["revision"]
		delete(inOwn, "revision")
		for _, it := range []map[string]types.AttributeValue{inShared, inOwn} {
			in := &dynamodb.PutItemInput{TableName: &l.name, Item: it}
			if _, err := l.client.PutItem(t.Context(), in); err != nil {
				t.Fatal(err)
			}
		}
		l.reads(t, "later in "+later, e)
		if _, left := move(t, l.mover); left != 0 {
			t.Errorf("MoveRecords() of two that move = %d left, want none", left)
		}
		l.reads(t, "moved, later in "+later, e)
	}
}
