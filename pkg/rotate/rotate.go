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
func (s *Sweep) Run(ctx context.Context) (Report, error) {
	ctx, cancel := s.untilReserve(ctx)
	defer cancel()
	var r Report
	var discoverErr error
	if r.Learnt, r.Gone, discoverErr = s.Mint.Discover(ctx); discoverErr != nil {
		s.Journal.Event(ctx, slog.LevelWarn, "discovery", "", discoverErr.Error())
	}
	err := s.renewDue(ctx, &r)
	return r, err
}

// untilReserve is ctx, ended so early that what was begun can be finished.
func (s *Sweep) untilReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-orDefault(s.Reserve, defaultReserve)))
}

// renewDue reads what is due, batch by batch, until nothing new comes. What failed or is being renewed elsewhere may be shown again, and is not begun twice.
func (s *Sweep) renewDue(ctx context.Context, r *Report) error {
	begun := map[token.Key]bool{}
	limit := orDefault(s.Batch, defaultBatch)
	for {
		due, err := s.Store.Due(ctx, time.Now(), limit)
		if err != nil {
			return err
		}
		fresh := due[:0:0]
		for _, d := range due {
			if !begun[d.Key] {
				fresh = append(fresh, d)
			}
		}
		s.renewAll(ctx, fresh, begun, r)
		if ctx.Err() != nil {
			r.More = len(due) == limit
			return nil
		}
		if len(fresh) == 0 {
			return nil
		}
	}
}

// renewAll renews with bounded workers, in order.
func (s *Sweep) renewAll(ctx context.Context, due []store.Due, begun map[token.Key]bool, r *Report) {
	var workers sync.WaitGroup
	var mu sync.Mutex
	work := make(chan token.Key)
	for range min(orDefault(s.Workers, defaultWorkers), len(due)) {
		workers.Go(func() {
			for key := range work {
				became, _ := s.Mint.Renew(ctx, key) // the journal has the error
				mu.Lock()
				r.count(became)
				mu.Unlock()
			}
		})
	}
	for i, d := range due {
		select {
		case work <- d.Key:
			begun[d.Key] = true
			continue
		case <-ctx.Done():
		}
		mu.Lock()
		r.Left += len(due) - i
		mu.Unlock()
		break
	}
	close(work)
	workers.Wait()
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
