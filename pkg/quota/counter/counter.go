// Package counter counts the token requests of a credential in the store, where
// the secret or the descriptor states a quota of them. It refuses none.
package counter

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/quota"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Timeout is how long the store may take.
const Timeout = 500 * time.Millisecond

// keptFor is how long a counter is kept after its period has ended. A process
// whose clock is behind still counts in it.
const keptFor = 24 * time.Hour

// Add counts n token requests and returns what is used then. nil: no quota is
// stated, or n is 0, and the store is not called.
func Add(ctx context.Context, s store.Counting, terms credential.Terms, n int) (*quota.Use, error) {
	if n == 0 {
		return nil, nil
	}
	return current(ctx, terms, func(ctx context.Context, c store.Counter) (int64, error) {
		return s.Count(ctx, c, int64(n))
	})
}

// Read returns what is used. nil: no quota is stated, and the store is not
// called.
func Read(ctx context.Context, s store.Counting, terms credential.Terms) (*quota.Use, error) {
	return current(ctx, terms, s.Counted)
}

// current returns the use of the current period, by the sum of its counter.
func current(
	ctx context.Context, terms credential.Terms, sum func(context.Context, store.Counter) (int64, error),
) (*quota.Use, error) {
	stated := terms.StatedQuota()
	if stated == nil {
		return nil, nil
	}
	p, ok := periodAt(stated.Per, clock.Now())
	if !ok || stated.Requests < 1 {
		return nil, nil // a newer program may have written the terms
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	used, err := sum(ctx, store.Counter{Credential: terms.Name, Window: p.name, ForgetAt: p.end.Add(keptFor)})
	if err != nil {
		return nil, err
	}
	return &quota.Use{Used: used, Requests: int64(stated.Requests), Per: string(stated.Per), Until: p.end}, nil
}

// period is an hour, a day or a month of UTC.
type period struct {
	name string // "hour 2026-11-27T21"
	end  time.Time
}

// periodAt returns the period that has a time. ok is false for one that this
// program does not know.
func periodAt(p quota.Period, t time.Time) (_ period, ok bool) {
	t = t.UTC()
	year, month, day := t.Date()
	var layout string
	var end time.Time
	switch p {
	case quota.PerHour:
		layout, end = "2006-01-02T15", t.Truncate(time.Hour).Add(time.Hour)
	case quota.PerDay:
		layout, end = time.DateOnly, time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC)
	case quota.PerMonth:
		layout, end = "2006-01", time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC)
	default:
		return period{}, false
	}
	return period{string(p) + " " + t.Format(layout), end}, true
}
