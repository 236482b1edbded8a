package dynamo_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld/dynamotable"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo/places"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var record = token.RecordKey("minut")

// interruption is a transport that calls then in place of the nth write, and
// refuses all later ones if it is to end there.
type interruption struct {
	next      http.RoundTripper
	nth       atomic.Int64 // 0: none
	then      fault
	ends, end atomic.Bool
}

func refused(func() (*http.Response, error)) (*http.Response, error) {
	return reply(http.StatusBadRequest, `{"__type":"com.amazonaws.dynamodb.v20120810#AccessDeniedException"}`), nil
}

func (i *interruption) RoundTrip(r *http.Request) (*http.Response, error) {
	read, err := readRequest(r)
	if err != nil {
		return nil, err
	}
	send := func() (*http.Response, error) { return i.next.RoundTrip(r) }
	switch {
	case read.Operation != "UpdateItem":
		return send()
	case i.end.Load():
		return refused(send)
	case i.nth.Load() > 0 && i.nth.Add(-1) == 0:
		i.end.Store(i.ends.Load())
		return i.then(send)
	}
	return send()
}

// layouts is a table with a store of each layout, and one of the layout that
// records move to, whose writes can be interrupted.
type layouts struct {
	table
	all   map[string]*dynamo.Store
	mover *dynamo.Store
	cut   interruption
}

func openLayouts(t *testing.T, to places.Layout) *layouts {
	t.Helper()
	return openLayoutsAt(t, testbed.DynamoDB(t), to)
}

func openLayoutsAt(t *testing.T, endpoint testbed.Endpoint, to places.Layout) *layouts {
	t.Helper()
	l := &layouts{table: openTableAt(t, endpoint)}
	l.all = map[string]*dynamo.Store{
		"one": l.WithLayout(places.OnePartition), "moving": l.WithLayout(places.Moving),
	}
	if to == places.OnePartition {
		l.all["own"] = l.WithLayout(places.OwnPartitions)
	}
	cut := dynamotable.Client(endpoint, newAsAWS(&l.cut))
	l.cut.next = http.DefaultTransport
	l.mover = dynamo.New(cut, l.name).WithLayout(to)
	return l
}

// move moves all records, and returns how many it moved, and how many it could
// not.
func move(t *testing.T, s *dynamo.Store) (moved, left int) {
	t.Helper()
	moved, err := s.MoveRecords(t.Context(), func(string, error) { left++ })
	if err != nil {
		t.Errorf("MoveRecords() = %v, want no error", err)
	}
	return moved, left
}

// from returns the layout of the other place.
func from(to places.Layout) places.Layout {
	if to == places.OnePartition {
		return places.OwnPartitions
	}
	return places.OnePartition
}

func isSame(a, b store.Entry) bool {
	return a.Revision == b.Revision && a.Generation == b.Generation && string(a.Sealed) == string(b.Sealed) &&
		a.Format == b.Format && a.CooldownUntil.Equal(b.CooldownUntil)
}

// reads fails the test unless every layout reads and lists a record.
func (l *layouts) reads(t *testing.T, when string, want store.Entry) {
	t.Helper()
	for name, s := range l.all {
		if got := get(t, s, record); !isSame(got, want) {
			t.Errorf("%s, layout %s: Get(%v) = %+v, want %+v", when, name, record, got, want)
		}
		listed, err := s.List(t.Context(), token.RecordPartition, "", 10)
		if err != nil || len(listed) != 1 || !isSame(listed[0], want) {
			t.Errorf("%s, layout %s: List() = %+v, %v, want the record alone", when, name, listed, err)
		}
	}
}

// eachStep runs test for a move to each place that is interrupted at each of
// its writes.
func eachStep(t *testing.T, test func(t *testing.T, l *layouts, to places.Layout, nth int)) {
	const writes = 3
	onEach(t, func(t *testing.T, endpoint testbed.Endpoint) {
		for name, to := range map[string]places.Layout{"there": places.Moving, "back": places.OnePartition} {
			for nth := 1; nth <= writes; nth++ {
				t.Run(fmt.Sprintf("%s, write %d", name, nth), func(t *testing.T) {
					test(t, openLayoutsAt(t, endpoint, to), to, nth)
				})
			}
		}
	})
}

func stored(t *testing.T, l *layouts, in places.Layout) store.Entry {
	t.Helper()
	return put(t, l.WithLayout(in), store.Entry{
		Key: record, Generation: 7, Format: 3, Sealed: []byte("terms"), CooldownUntil: noon,
	})
}

// A process ends in the middle of a move: before one of its writes, or after
// it. The record is read, written and moved on by every other one.
func TestMoveEndsAnywhere(t *testing.T) {
	sent := func(send func() (*http.Response, error)) (*http.Response, error) {
		if answer, err := send(); err == nil {
			_ = answer.Body.Close()
		}
		return refused(send)
	}
	for when, then := range map[string]fault{"before": refused, "after": sent} {
		eachStep(t, func(t *testing.T, l *layouts, to places.Layout, nth int) {
			e := stored(t, l, from(to))
			l.cut.then = then
			l.cut.nth.Store(int64(nth))
			if _, left := move(t, l.mover); left != 1 {
				t.Errorf("%s: MoveRecords() that is interrupted = %d left, want 1", when, left)
			}
			l.reads(t, when, e)
			for _, name := range slices.Sorted(maps.Keys(l.all)) {
				next := e
				next.Generation++
				written, err := l.all[name].Replace(t.Context(), e, next)
				if err != nil {
					t.Fatalf("%s: Replace() of layout %s = %v, want no error", when, name, err)
				}
				e = written
				l.reads(t, when+", later", e)
			}
			if _, left := move(t, l.mover); left != 0 {
				t.Errorf("%s: MoveRecords() again = %d left, want none", when, left)
			}
			l.all["own"] = l.WithLayout(places.OwnPartitions)
			l.reads(t, "moved", e)
			if moved, _ := move(t, l.mover); moved != 0 {
				t.Errorf("%s: MoveRecords() of what was moved = %d, want 0", when, moved)
			}
		})
	}
}

// A write of a move that is late, while others have moved the record there,
// changed it, and moved it back or not, changes nothing.
func TestLateWriteOfAMoveChangesNothing(t *testing.T) {
	for _, back := range []bool{false, true} {
		eachStep(t, func(t *testing.T, l *layouts, to places.Layout, nth int) {
			e := stored(t, l, from(to))
			l.cut.then = func(send func() (*http.Response, error)) (*http.Response, error) {
				move(t, l.WithLayout(to))
				next := e
				next.Generation++
				e = put(t, l.all["one"], next)
				if back {
					move(t, l.WithLayout(from(to)))
				}
				return send()
			}
			l.cut.ends.Store(true)
			l.cut.nth.Store(int64(nth))
			move(t, l.mover)
			if inOwn := (to == places.Moving) != back; inOwn {
				l.all["own"] = l.WithLayout(places.OwnPartitions)
			}
			l.reads(t, fmt.Sprintf("moved back: %t", back), e)
		})
	}
}

// Processes of all layouts create one record at the same time.
func TestRecordIsCreatedOnce(t *testing.T) {
	l := openLayouts(t, places.OnePartition)
	readers := map[string]*dynamo.Store{"one": l.all["one"], "moving": l.all["moving"]}
	for n := range 20 {
		key := token.RecordKey(fmt.Sprintf("c%d", n))
		var all sync.WaitGroup
		var created atomic.Int64
		for _, s := range l.all {
			for range 3 {
				all.Go(func() {
					_, err := s.Replace(t.Context(), store.Entry{Key: key}, store.Entry{Generation: 7})
					switch {
					case err == nil:
						created.Add(1)
					case !errors.Is(err, store.ErrChanged):
						t.Errorf("Replace(%v) = %v, want %v", key, err, store.ErrChanged)
					}
				})
			}
		}
		all.Wait()
		for name, s := range readers {
			if got := get(t, s, key); created.Load() != 1 || got.Revision != 1 {
				t.Fatalf("%d records were created of 1, layout %s reads revision %d, want 1 and 1", created.Load(), name,
					got.Revision)
			}
		}
	}
}

// A table that was restored in the middle of a move can have a record at both
// places: the newer one counts, and stays.
func TestNewerOfTwoRecordsCounts(t *testing.T) {
	for _, newest := range []places.Layout{places.OnePartition, places.OwnPartitions} {
		l := openLayouts(t, places.OwnPartitions)
		e := stored(t, l, places.OnePartition)
		first := l.item(t, record)
		move(t, l.mover)
		if newest == places.OwnPartitions {
			e = put(t, l.all["one"], store.Entry{Key: record, Generation: 8})
		} else {
			first["generation"] = &types.AttributeValueMemberN{Value: "9"}
			e.Generation = 9
		}
		in := &dynamodb.PutItemInput{TableName: &l.name, Item: first}
		if _, err := l.client.PutItem(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		if got := get(t, l.all["moving"], record); !isSame(got, e) {
			t.Errorf("Get() of two records = %+v, want the newer %+v", got, e)
		}
		if _, left := move(t, l.mover); left != 0 {
			t.Errorf("MoveRecords() of two records = %d left, want none", left)
		}
		l.all["own"] = l.mover
		l.reads(t, "moved", e)
	}
}
