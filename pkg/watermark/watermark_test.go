package watermark_test

import (
	"container/list"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/watermark"
)

func TestHighestIsTheHighestThatWasRaised(t *testing.T) {
	var m watermark.Marks[string]
	for _, step := range []struct {
		raise, want int64
	}{{3, 3}, {2, 3}, {7, 7}, {-1, 7}, {1 << 40, 1<<32 - 1}} {
		m.Raise("minut", step.raise)
		if got := m.Highest("minut"); got != step.want {
			t.Errorf("Highest after Raise(%d) = %d, want %d", step.raise, got, step.want)
		}
	}
	if got := m.Highest("monta"); got != 0 {
		t.Errorf("Highest of a key that was never raised = %d, want 0", got)
	}
}

// TestOldestKeyIsForgottenFirst compares with a plain list over twice as many
// keys as are remembered.
func TestOldestKeyIsForgottenFirst(t *testing.T) {
	var m watermark.Marks[int]
	order, at, highest := list.New(), map[int]*list.Element{}, map[int]int64{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 4 * watermark.Keys {
		key, generation := random.IntN(2*watermark.Keys), random.Int64N(100)
		m.Raise(key, generation)
		if e := at[key]; e != nil {
			order.Remove(e)
		}
		at[key] = order.PushFront(key)
		highest[key] = max(highest[key], generation)
		if order.Len() > watermark.Keys {
			oldest := order.Remove(order.Back()).(int)
			delete(at, oldest)
			delete(highest, oldest)
		}
	}
	for key := range 2 * watermark.Keys {
		if got, want := m.Highest(key), highest[key]; got != want {
			t.Fatalf("Highest(%d) = %d, want %d", key, got, want)
		}
	}
}

func TestMarksTakeAtMost8MiB(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var m watermark.Marks[int]
	for key := range 2 * watermark.Keys {
		m.Raise(key, 1)
	}
	runtime.ReadMemStats(&after)
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 8<<20 {
		t.Errorf("%d keys allocate %d bytes, want at most %d", 2*watermark.Keys, allocated, 8<<20)
	}
	if got := m.Highest(2*watermark.Keys - 1); got != 1 {
		t.Errorf("Highest of the newest key = %d, want 1", got)
	}
}
