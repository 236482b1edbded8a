// Package rotate is one pass over what is due: nobody waits for it, and nobody has to wait for a provider because of it.
package rotate

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Sweep renews every entry that is due. Each field's zero value is its default.
type Sweep struct {
	Mint    *mint.Mint
	Store   store.Reader
	Journal journal.Journal // zero: silent
	Workers int             // how many entries are renewed at once; 0: 16
	Batch   int             // how many due entries are read at once; 0: 500
	Reserve time.Duration   // stop so long before the deadline; 0: 10 s
}

// Report is what a pass did.
type Report struct {
	Learnt  int  `json:"learnt"`  // credentials found new or changed
	Gone    int  `json:"gone"`    // credentials whose secret was removed
	Renewed int  `json:"renewed"` // entries
	Retired int  `json:"retired"` // entries that nobody asks for
	Failed  int  `json:"failed"`  // entries that are tried again later
	Left    int  `json:"left"`    // entries that were due and not begun, of those that were read
	More    bool `json:"more"`    // there was no time to read all that is due
}

const (
	defaultWorkers = 16
	defaultBatch   = 500
	defaultReserve = 10 * time.Second
)

// Run makes one pass: first what was added, changed or removed, then what is due, the entry that expires first at the head. It ends before ctx does; what is left is due again in the next pass.
// An error means that the pass could not see its work; an entry that failed is none.
func (s *Sweep) Run(ctx context.Context) (r Report, err error) {
	work, cancel := endingBefore(ctx, orDefault(s.Reserve, defaultReserve))
	defer cancel()
	if r.Learnt, r.Gone, err = s.Mint.Discover(work); err != nil {
		s.Journal.Event(ctx, slog.LevelWarn, "discovery", "", err.Error())
	}
	begin, cancel := endingBefore(work, mint.Timeout)
	defer cancel()
	err = s.renewDue(begin, work, &r)
	return r, err
}

// RunOne renews what is due or failing of one credential now, back-offs not waited for, and mints its default token if it has none. A token whose time to renew has not come stays: callers hold it.
func (s *Sweep) RunOne(ctx context.Context, name string) (r Report, err error) {
	if _, err := s.Mint.Terms(ctx, name); err != nil {
		return r, err
	}
	entries, err := s.Store.List(ctx, name, "", orDefault(s.Batch, defaultBatch))
	if err != nil {
		return r, err
	}
	keys := []token.Key{{Credential: name}}
	for _, e := range entries {
		if e.Key != keys[0] {
			keys = append(keys, e.Key)
		}
	}
	for _, key := range keys {
		became, renewErr := s.Mint.RenewNow(ctx, key)
		if r.count(became); renewErr != nil {
			err = renewErr
		}
	}
	return r, err
}

// endingBefore is ctx with a deadline that comes sooner, if it has one.
func endingBefore(ctx context.Context, sooner time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-sooner))
}

// renewDue reads what is due, batch by batch, until nothing new comes or begin ends; what was begun has until work ends. What failed or is being renewed elsewhere may be shown again, and is not begun twice.
func (s *Sweep) renewDue(begin, work context.Context, r *Report) error {
	begun := map[token.Key]bool{}
	limit := orDefault(s.Batch, defaultBatch)
	for {
		due, err := s.Store.Due(work, time.Now(), limit)
		if err != nil {
			return err
		}
		var fresh []token.Key
		for _, d := range due {
			if !begun[d.Key] {
				fresh = append(fresh, d.Key)
			}
		}
		if len(fresh) == 0 {
			return nil
		}
		n := s.renewAll(begin, work, fresh, r)
		for _, key := range fresh[:n] {
			begun[key] = true
		}
		if begin.Err() != nil {
			r.Left, r.More = len(fresh)-n, len(due) == limit
			return nil
		}
	}
}

// renewAll renews with bounded workers, in order, and returns how many were begun.
func (s *Sweep) renewAll(begin, work context.Context, keys []token.Key, r *Report) (begun int) {
	var workers sync.WaitGroup
	var mu sync.Mutex
	next := make(chan token.Key)
	for range min(orDefault(s.Workers, defaultWorkers), len(keys)) {
		workers.Go(func() {
			for key := range next {
				became, _ := s.Mint.Renew(work, key) // the journal has the error
				mu.Lock()
				r.count(became)
				mu.Unlock()
			}
		})
	}
	begun = hand(begin, next, keys)
	workers.Wait()
	return begun
}

// hand gives out keys until all are given or ctx ends, and says how many it gave.
func hand(ctx context.Context, to chan<- token.Key, keys []token.Key) int {
	defer close(to)
	for i, key := range keys {
		select {
		case to <- key:
		case <-ctx.Done():
			return i
		}
	}
	return len(keys)
}

func (r *Report) count(became mint.Renewal) {
	switch became {
	case mint.Renewed:
		r.Renewed++
	case mint.Retired:
		r.Retired++
	default:
		r.Failed++
	}
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}
