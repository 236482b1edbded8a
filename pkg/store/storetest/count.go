package storetest

import (
	"fmt"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

var counting = []sentence{
	{"a counter that nothing was added to is 0", testCountNothing},
	{"Count returns the sum, and Counted shows it", testCount},
	{"each credential and each window has a counter of its own", testCountApart},
	{"counters are no entries", testCountIsNoEntry},
	{"what many add at once is in the sum", testCountAtOnce},
	{"a counter that may be deleted hinders no other one", testCountForgotten},
}

// counter returns a counter of a window that lasts.
func counter(credential, window string) store.Counter {
	return store.Counter{Credential: credential, Window: window, ForgetAt: time.Now().Add(time.Hour)}
}

// counts adds n to a counter and checks the sum.
func (h harness) counts(c store.Counter, n, want int64) {
	h.Helper()
	if sum, err := h.store.Count(h.Context(), c, n); err != nil || sum != want {
		h.Fatalf("Count(%v, %d) = %d, %v, want %d", c, n, sum, err, want)
	}
}

// counted waits until a counter has a sum.
func (h harness) counted(c store.Counter, want int64) {
	h.Helper()
	h.comes(func() string {
		if sum, err := h.store.Counted(h.Context(), c); err != nil || sum != want {
			return fmt.Sprintf("Counted(%v) = %d, %v, want %d", c, sum, err, want)
		}
		return ""
	})
}

func testCountNothing(h harness) { h.counted(counter("minut", "hour"), 0) }

func testCount(h harness) {
	c := counter("minut", "hour 2031-11-22T12")
	h.counts(c, 1, 1)
	h.counts(c, 3, 4)
	h.counts(counter(c.Credential, c.Window), 1, 5)
	h.counted(c, 5)
}

func testCountApart(h harness) {
	h.counts(counter("minut", "hour 1"), 1, 1)
	h.counts(counter("minut", "hour 2"), 2, 2)
	h.counts(counter("minut2", "hour 1"), 3, 3)
	h.counts(counter("minut", "day 1"), 4, 4)
	h.counts(counter("minut", "hour 1"), 1, 2)
	h.counted(counter("minut", "hour 2"), 2)
	h.counted(counter("minut2", "hour 1"), 3)
	h.counted(counter("minut", "day 1"), 4)
}

func testCountIsNoEntry(h harness) {
	h.put(full(key))
	h.counts(counter(key.Credential, "hour"), 1, 1)
	for _, partition := range []string{key.Credential, token.RecordPartition} {
		got, err := h.store.List(h.Context(), partition, "", 10)
		h.errorIs(err, nil)
		for _, e := range got {
			if e.Key != key {
				h.Errorf("List(%s) has %v, want entries alone", partition, e.Key)
			}
		}
	}
	h.errorIs(h.store.Delete(h.Context(), key), nil)
	h.counted(counter(key.Credential, "hour"), 1)
}

func testCountAtOnce(h harness) {
	const workers, each = 8, 5
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			for range each {
				if _, err := h.store.Count(h.Context(), counter("minut", "hour"), 2); err != nil {
					h.Errorf("Count() = %v, want no error", err)
				}
			}
		})
	}
	all.Wait()
	h.counted(counter("minut", "hour"), 2*workers*each)
}

func testCountForgotten(h harness) {
	old := counter("minut", "hour 1")
	old.ForgetAt = time.Now().Add(-time.Hour)
	h.counts(old, 1, 1)
	h.counts(counter("minut2", "hour 1"), 1, 1)
	h.counts(counter("minut", "hour 2"), 1, 1)
	h.counts(counter("minut", "hour 2"), 1, 2)
	h.counted(counter("minut2", "hour 1"), 1)
}
