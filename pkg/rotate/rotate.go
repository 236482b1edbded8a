// Package rotate renews what is due, in passes. No caller waits for a pass, and
// so no caller waits for a provider.
package rotate

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/migration"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Rotator renews every entry that is due. The zero value of a field means its
// default.
type Rotator struct {
	Mint    *mint.Mint
	Store   store.Reader
	Journal journal.Journal // zero: no log
	Batch   int             // due entries read at once; 0: 50,000
	Reserve time.Duration   // how long before the deadline a pass stops; 0: 10 s
	Canary  time.Duration   // how often each token is checked at its provider, if it can be; 0: never
	Look    time.Duration   // how often a pass reads due entries while renewals are running; 0: 5 s

	migrator migration.Migrator
}

// Report is the result of a pass or of a discovery.
type Report struct {
	Learnt  int  `json:"learnt"`           // credentials that are new or changed
	Gone    int  `json:"gone"`             // credentials whose secret was deleted
	Renewed int  `json:"renewed"`          // entries
	Retired int  `json:"retired"`          // entries without requests, no longer renewed
	Failed  int  `json:"failed"`           // entries that will be retried
	Left    int  `json:"left"`             // due entries that were read and not started
	Overdue int  `json:"overdue"`          // entries that were overdue when the pass began
	Proven  int  `json:"proven,omitzero"`  // tokens that the canary checked
	Refused int  `json:"refused,omitzero"` // of these, tokens that were refused
	More    bool `json:"more"`             // not all due entries could be read in time
}

const (
	defaultWorkers = 32 // renewals at once of a provider that is not known
	defaultBatch   = 50_000
	listedAtOnce   = 500 // entries of a credential
	defaultReserve = 10 * time.Second
	defaultLook    = 5 * time.Second
)

// RunOne renews the due and failing entries of one credential now, without
// waiting for back-offs, and mints its default token if there is none. It keeps
// a token that is not due, because callers hold it.
func (rt *Rotator) RunOne(ctx context.Context, name string) (r Report, err error) {
	if _, err := rt.Mint.Registry.Terms(ctx, name); err != nil {
		return r, err
	}
	entries, err := rt.Store.List(ctx, name, "", listedAtOnce)
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
		became := Renewed
		if renewErr := operate.New(rt.Mint).RenewNow(ctx, key); renewErr != nil {
			became, err = Failed, renewErr
		}
		r.count(became)
	}
	return r, err
}

// endingBefore returns ctx with a deadline that is earlier by sooner, if ctx
// has one.
func endingBefore(ctx context.Context, sooner time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-sooner))
}

func (r *Report) count(became Renewal) {
	switch became {
	case Renewed:
		r.Renewed++
	case Retired:
		r.Retired++
	default:
		r.Failed++
	}
}

// line returns the report as a journal line.
func (r Report) line(err error, took time.Duration) journal.Pass {
	p := journal.Pass{
		Renewed: r.Renewed, Retired: r.Retired, Failed: r.Failed,
		Left: r.Left, Overdue: r.Overdue, Verified: r.Proven, Refused: r.Refused, More: r.More, Took: took,
	}
	if err != nil {
		p.Error, p.Cause = err.Error(), journal.Cause(err)
	}
	return p
}

func orDefault[T int | time.Duration](v, otherwise T) T {
	if v > 0 {
		return v
	}
	return otherwise
}

// Renewal is what became of an entry that was due.
type Renewal string

// The results of a renewal.
const (
	Renewed Renewal = "renewed" // it has a token whose renewal time has not come
	Retired Renewal = "retired" // nobody requests it, or its credential is deleted: no longer due
	Failed  Renewal = "failed"  // see the error
)
