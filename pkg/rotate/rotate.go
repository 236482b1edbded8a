// Package rotate renews what is due, in passes. No caller waits for a pass, and
// so no caller waits for a provider.
package rotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
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
	Workers int             // concurrent renewals per provider; 0: 32
	Batch   int             // due entries read at once; 0: 500
	Reserve time.Duration   // how long before the deadline a pass stops; 0: 10 s
	Canary  time.Duration   // how often each token is checked at its provider, if it can be; 0: never
	Look    time.Duration   // how often a pass reads due entries while renewals are running; 0: 5 s
}

// Report is the result of a pass.
type Report struct {
	Learnt  int  `json:"learnt"`           // credentials that are new or changed
	Gone    int  `json:"gone"`             // credentials whose secret was deleted
	Renewed int  `json:"renewed"`          // entries
	Retired int  `json:"retired"`          // entries without requests, no longer renewed
	Failed  int  `json:"failed"`           // entries that will be retried
	Left    int  `json:"left"`             // due entries that were read and not started
	Overdue int  `json:"overdue"`          // entries that failed with less than five minutes left, or none
	Proven  int  `json:"proven,omitzero"`  // tokens that the canary checked
	Refused int  `json:"refused,omitzero"` // of these, tokens that were refused
	More    bool `json:"more"`             // not all due entries could be read in time
}

const (
	defaultWorkers = 32
	defaultBatch   = 500
	defaultReserve = 10 * time.Second
	defaultLook    = 5 * time.Second
)

// Run makes one pass: first it discovers added, changed and removed
// credentials, then it renews due entries in the order of their expiry. It ends
// before ctx; entries that are left are due again in the next pass.
//
// An error means that the pass could not read its work. An entry that failed is
// no error. A pass that is cancelled, as by the one-machine server's shutdown,
// returns its results so far and no error.
func (rt *Rotator) Run(ctx context.Context) (r Report, err error) {
	began := time.Now()
	var m measured
	defer func() {
		line := r.line(err, time.Since(began))
		m.complete(&line)
		rt.Journal.Pass(ctx, line)
	}()
	work, cancel := endingBefore(ctx, orDefault(rt.Reserve, defaultReserve))
	defer cancel()
	if r.Learnt, r.Gone, err = rt.Mint.Registry.Discover(work); err != nil && !isCancelled(ctx) {
		m.discoveryFailed = true
		rt.Journal.Failure(ctx, "discovery", "", err)
	}
	begin, cancel := endingBefore(work, beginBefore)
	defer cancel()
	err = rt.renewDue(begin, work, &r, &m)
	m.read = err == nil
	if err == nil && rt.Canary > 0 {
		r.Proven, r.Refused, err = operate.New(rt.Mint).Canary(begin, rt.Canary)
	}
	if err == nil && ctx.Err() == nil {
		rt.migrate(begin)
	}
	if isCancelled(ctx) {
		err = nil
	}
	return r, err
}

// migrate rewrites rows of an older format in the remaining time.
func (rt *Rotator) migrate(ctx context.Context) {
	done, err := rt.Mint.Records.Migrate(ctx)
	switch {
	case ctx.Err() != nil: // it continues in the next pass
	case err != nil:
		rt.Journal.Failure(ctx, "migration", "", err)
	case done.Looked:
		rt.Journal.Event(ctx, slog.LevelInfo, "migration", "",
			fmt.Sprintf("%d rows of the first format rewritten, %d left", done.Rewritten, done.Left))
	}
}

// isCancelled reports whether ctx was cancelled. A deadline that has passed
// does not count: such a pass returns an error.
func isCancelled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// RunOne renews the due and failing entries of one credential now, without
// waiting for back-offs, and mints its default token if there is none. It keeps
// a token that is not due, because callers hold it.
func (rt *Rotator) RunOne(ctx context.Context, name string) (r Report, err error) {
	if _, err := rt.Mint.Registry.Terms(ctx, name); err != nil {
		return r, err
	}
	entries, err := rt.Store.List(ctx, name, "", orDefault(rt.Batch, defaultBatch))
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

// nearlyOver is the remaining lifetime below which a failed renewal raises an
// alarm.
const nearlyOver = 5 * time.Minute

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

// measured is what a pass counts for metrics alone.
type measured struct {
	read                bool // all due entries were read
	discoveryFailed     bool
	store, seal, secret int // renewals that failed because of DynamoDB, KMS or Secrets Manager
}

// note counts a renewal's error by the service that caused it. A refusal of a
// provider counts nowhere: it has metrics of its own.
func (m *measured) note(err error) {
	failed := (*api.Error)(nil)
	if !errors.As(err, &failed) {
		return
	}
	switch failed.Code {
	case api.StoreUnavailable:
		m.store++
	case api.SealUnavailable:
		m.seal++
	case api.SecretUnavailable:
		m.secret++
	}
}

func (m *measured) complete(line *journal.Pass) {
	line.Unread, line.DiscoveryFailed = !m.read, m.discoveryFailed
	line.StoreFailures, line.SealFailures, line.SecretFailures = m.store, m.seal, m.secret
}

// line returns the report as a journal line.
func (r Report) line(err error, took time.Duration) journal.Pass {
	p := journal.Pass{
		Learnt: r.Learnt, Gone: r.Gone, Renewed: r.Renewed, Retired: r.Retired, Failed: r.Failed,
		Left: r.Left, Overdue: r.Overdue, Proven: r.Proven, Refused: r.Refused, More: r.More, Took: took,
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
