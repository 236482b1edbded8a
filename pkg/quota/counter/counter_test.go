package counter

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
)

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriodAt(t *testing.T) {
	for _, c := range []struct {
		per       quota.Period
		at        string
		name, end string
	}{
		{quota.PerHour, "2026-11-27T21:59:59.999Z", "hour 2026-11-27T21", "2026-11-27T22:00:00Z"},
		{quota.PerHour, "2026-11-27T22:00:00Z", "hour 2026-11-27T22", "2026-11-27T23:00:00Z"},
		{quota.PerHour, "2026-11-27T05:29:00+05:30", "hour 2026-11-26T23", "2026-11-27T00:00:00Z"},
		{quota.PerDay, "2026-12-31T23:59:59Z", "day 2026-12-31", "2027-01-01T00:00:00Z"},
		{quota.PerDay, "2028-02-28T12:00:00Z", "day 2028-02-28", "2028-02-29T00:00:00Z"},
		{quota.PerDay, "2026-10-25T03:30:00+02:00", "day 2026-10-25", "2026-10-26T00:00:00Z"},
		{quota.PerMonth, "2028-02-29T23:59:59Z", "month 2028-02", "2028-03-01T00:00:00Z"},
		{quota.PerMonth, "2027-01-31T12:00:00Z", "month 2027-01", "2027-02-01T00:00:00Z"},
		{quota.PerMonth, "2026-12-01T00:30:00+01:00", "month 2026-11", "2026-12-01T00:00:00Z"},
		{quota.PerMonth, "2026-12-31T12:00:00Z", "month 2026-12", "2027-01-01T00:00:00Z"},
	} {
		got, ok := periodAt(c.per, at(c.at))
		if !ok || got.name != c.name || !got.end.Equal(at(c.end)) {
			t.Errorf("periodAt(%s, %s) = %v, %t, want %s until %s", c.per, c.at, got, ok, c.name, c.end)
		}
	}
	if got, ok := periodAt("week", time.Now()); ok {
		t.Errorf("periodAt(week) = %v, want none", got)
	}
}

func terms(n int, per quota.Period) credential.Terms {
	return credential.Terms{
		Name: "minut", Descriptor: &descriptor.Descriptor{}, Quota: &quota.Quota{Requests: n, Per: per},
	}
}

// adds counts n requests and checks what is used then.
func adds(t *testing.T, s store.Counting, of credential.Terms, n int, want string) {
	t.Helper()
	got, err := Add(t.Context(), s, of, n)
	if err != nil || got == nil || got.String() != want {
		t.Errorf("Add(%d) = %v, %v, want %s", n, got, err, want)
	}
}

func TestRequestsAreCountedByPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // from midnight of 2000-01-01 on
		s, hourly := memory.New(), terms(5, quota.PerHour)
		adds(t, s, hourly, 1, "1 of 5 this hour")
		adds(t, s, hourly, 2, "3 of 5 this hour")
		time.Sleep(59 * time.Minute)
		adds(t, s, hourly, 3, "6 of 5 this hour")
		time.Sleep(time.Minute)
		adds(t, s, hourly, 1, "1 of 5 this hour")
		if got, err := Read(t.Context(), s, hourly); err != nil || got.String() != "1 of 5 this hour" {
			t.Errorf("Read() = %v, %v, want 1 of 5 this hour", got, err)
		}
		time.Sleep(31 * 24 * time.Hour)
		if got, err := Read(t.Context(), s, hourly); err != nil || got.Used != 0 {
			t.Errorf("Read() in another hour = %v, %v, want 0 used", got, err)
		}
	})
}

// A quota that changes keeps its count, unless its period is another one.
func TestQuotaChangesWithinPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memory.New()
		adds(t, s, terms(5, quota.PerHour), 4, "4 of 5 this hour")
		adds(t, s, terms(100, quota.PerHour), 1, "5 of 100 this hour")
		adds(t, s, terms(100, quota.PerDay), 1, "1 of 100 this day")
		adds(t, s, terms(5, quota.PerHour), 1, "6 of 5 this hour")
	})
}

func TestPercent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n, c := range map[int]struct {
			add  int
			want float64
			warn bool
		}{1: {1, 100, true}, 5: {4, 80, true}, 1000: {799, 79.9, false}, quota.MaxRequests: {1, 1e-7, false}} {
			got, err := Add(t.Context(), memory.New(), terms(n, quota.PerMonth), c.add)
			if err != nil || got.Percent() != c.want || got.IsNearlyUsedUp() != c.warn {
				t.Errorf("Add(%d) of a quota of %d = %v, %v, want %v %%", c.add, n, got, err, c.want)
			}
		}
	})
}

// broken is a store whose counters fail, after some time.
type broken struct {
	after time.Duration
	calls int
}

var errBroken = errors.New("broken")

func (b *broken) Count(ctx context.Context, _ store.Counter, _ int64) (int64, error) {
	b.calls++
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(b.after):
		return 0, errBroken
	}
}

func (b *broken) Counted(context.Context, store.Counter) (int64, error) {
	b.calls++
	return 0, errBroken
}

func TestCountEndsByItsTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		got, err := Add(t.Context(), &broken{after: time.Hour}, terms(5, quota.PerHour), 1)
		if took := time.Since(began); got != nil || !errors.Is(err, context.DeadlineExceeded) || took != Timeout {
			t.Errorf("Add() = %v, %v after %v, want the end of its context after %v", got, err, took, Timeout)
		}
	})
}

func TestStoreIsNotCalledWithoutQuota(t *testing.T) {
	s := new(broken)
	for name, of := range map[string]credential.Terms{
		"no quota":                      {Name: "minut", Descriptor: &descriptor.Descriptor{}},
		"a period of a newer program":   terms(5, "week"),
		"no requests":                   terms(0, quota.PerHour),
		"a provider of a newer program": {Name: "minut", Provider: "later"},
	} {
		added, err := Add(t.Context(), s, of, 1)
		read, errRead := Read(t.Context(), s, of)
		if added != nil || read != nil || err != nil || errRead != nil || s.calls != 0 {
			t.Errorf("%s: Add() = %v, %v, Read() = %v, %v, with %d calls; want nothing",
				name, added, err, read, errRead, s.calls)
		}
	}
	if got, err := Add(t.Context(), s, terms(5, quota.PerHour), 0); got != nil || err != nil || s.calls != 0 {
		t.Errorf("Add(0) = %v, %v, calls %d, want nothing", got, err, s.calls)
	}
}
