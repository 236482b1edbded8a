// Package rotate is one pass over what is due: nobody waits for it, and nobody has to wait for a provider because of it.
package rotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	Workers int             // how many entries are renewed at once at one provider; 0: 32
	Batch   int             // how many due entries are read at once; 0: 500
	Reserve time.Duration   // stop so long before the deadline; 0: 10 s
	Canary  time.Duration   // how often each living token is proven at its provider, where that can be done; 0: never
	Look    time.Duration   // how often a pass looks for more that is due while some of its work takes long; 0: 5 s
}

// Report is what a pass did.
type Report struct {
	Learnt  int  `json:"learnt"`           // credentials found new or changed
	Gone    int  `json:"gone"`             // credentials whose secret was removed
	Renewed int  `json:"renewed"`          // entries
	Retired int  `json:"retired"`          // entries that nobody asks for
	Failed  int  `json:"failed"`           // entries that are tried again later
	Left    int  `json:"left"`             // entries that were due and not begun, of those that were read
	Overdue int  `json:"overdue"`          // entries that failed with less than five minutes left to live, or none
	Proven  int  `json:"proven,omitzero"`  // living tokens that the canary has asked their providers about
	Refused int  `json:"refused,omitzero"` // those of them that are not taken any more
	More    bool `json:"more"`             // there was no time to read all that is due
}

const (
	defaultWorkers = 32
	defaultBatch   = 500
	defaultReserve = 10 * time.Second
	defaultLook    = 5 * time.Second
)

// Run makes one pass: first what was added, changed or removed, then what is due, the entry that expires first at the head. It ends before ctx does; what is left is due again in the next pass.
// An error means that the pass could not see its work; an entry that failed is none.
// A pass that is cancelled, as the server of one machine does when it ends,
// returns what it did until then, and no error.
func (s *Sweep) Run(ctx context.Context) (r Report, err error) {
	began := time.Now()
	defer func() { s.Journal.Pass(ctx, r.line(err, time.Since(began))) }()
	work, cancel := endingBefore(ctx, orDefault(s.Reserve, defaultReserve))
	defer cancel()
	if r.Learnt, r.Gone, err = s.Mint.Discover(work); err != nil && !isCancelled(ctx) {
		s.Journal.Event(ctx, slog.LevelWarn, "discovery", "", err.Error())
	}
	begin, cancel := endingBefore(work, beginBefore)
	defer cancel()
	if err = s.renewDue(begin, work, &r); err == nil && s.Canary > 0 {
		r.Proven, r.Refused, err = s.Mint.Canary(begin, s.Canary)
	}
	if err == nil && ctx.Err() == nil {
		s.migrate(begin)
	}
	if isCancelled(ctx) {
		err = nil
	}
	return r, err
}

// migrate rewrites rows of an older format with the time that is left.
func (s *Sweep) migrate(ctx context.Context) {
	done, err := s.Mint.Migrate(ctx)
	switch {
	case ctx.Err() != nil: // it goes on with the next pass
	case err != nil:
		s.Journal.Event(ctx, slog.LevelWarn, "migration", "", err.Error())
	case done.Looked:
		s.Journal.Event(ctx, slog.LevelInfo, "migration", "",
			fmt.Sprintf("%d rows of the first format rewritten, %d left", done.Rewritten, done.Left))
	}
}

// isCancelled reports whether the owner of ctx has ended it. A deadline that
// has passed is not that: a pass that has run out of time says so.
func isCancelled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

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

// nearlyOver is when a token whose renewal fails is worth an alarm: soon nobody can be served.
const nearlyOver = 5 * time.Minute

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

// line is the report as the journal writes it.
func (r Report) line(err error, took time.Duration) journal.Pass {
	p := journal.Pass{
		Learnt: r.Learnt, Gone: r.Gone, Renewed: r.Renewed, Retired: r.Retired, Failed: r.Failed,
		Left: r.Left, Overdue: r.Overdue, Proven: r.Proven, Refused: r.Refused, More: r.More, Took: took,
	}
	if err != nil {
		p.Error = err.Error()
	}
	return p
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}
