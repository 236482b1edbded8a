package store_test

import (
	"math"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// A revision at the largest integer must not make an entry look absent.
func TestAttack17_RevisionsStayPositive(t *testing.T) {
	for revision, want := range map[int64]int64{
		0: 1, 1: 2, math.MaxInt64 - 1: math.MaxInt64, math.MaxInt64: 1, -1: 1, math.MinInt64: 1,
	} {
		stands := store.Row{Entry: store.Entry{Revision: revision}}
		next, err := stands.Replace(stands.Entry, store.Entry{}, time.Now())
		if err != nil || next.Entry.Revision != want {
			t.Errorf("Replace of revision %d: revision %d, %v; want %d", revision, next.Entry.Revision, err, want)
		}
	}
}

func TestLeased(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	for until, want := range map[time.Time]bool{
		{}: false, now: false, now.Add(time.Millisecond): true, now.Add(store.MaxLease): true,
		now.Add(store.MaxLease + 1): false, now.AddDate(100, 0, 0): false,
	} {
		if got := (store.Entry{LeasedUntil: until}).Leased(now); got != want {
			t.Errorf("Leased at %v of a lease until %v = %t, want %t", now, until, got, want)
		}
	}
}
