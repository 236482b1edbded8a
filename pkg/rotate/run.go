package rotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Run makes one pass: it renews due entries in the order of their expiry. It
// ends before ctx; entries that are left are due again in the next pass.
//
// An error means that the pass could not read its work. An entry that failed is
// no error. A pass that is cancelled, as by the one-machine server's shutdown,
// returns its results so far and no error.
func (rt *Rotator) Run(ctx context.Context) (Report, error) { return rt.RunShare(ctx, Share{}) }

// RunShare is [Rotator.Run] for one of several workers.
func (rt *Rotator) RunShare(ctx context.Context, share Share) (r Report, err error) {
	began := time.Now()
	var m measured
	defer func() {
		line := r.line(err, time.Since(began))
		m.complete(&line)
		rt.Journal.Pass(ctx, line)
	}()
	work, cancel := endingBefore(ctx, orDefault(rt.Reserve, defaultReserve))
	defer cancel()
	begin, cancel := endingBefore(work, beginBefore)
	defer cancel()
	p := &pass{
		rotator: rt, share: share, began: began, begin: begin, work: work, report: &r, metrics: &m,
		seen: map[token.Key]bool{}, queues: map[string]*queue{}, idle: make(chan struct{}, 1),
	}
	err = p.renewDue()
	m.read = err == nil
	if err == nil && rt.Canary > 0 && share.isFirst() {
		r.Proven, r.Refused, err = operate.New(rt.Mint).Canary(begin, rt.Canary)
	}
	if err == nil && ctx.Err() == nil && share.isFirst() {
		rt.migrate(begin)
	}
	if isCancelled(ctx) {
		err = nil
	}
	return r, err
}

// Discover finds credentials that were added, changed or removed. What it finds
// is due in the next pass. A discovery that is cancelled returns its results so
// far and no error.
func (rt *Rotator) Discover(ctx context.Context) (r Report, err error) {
	began := time.Now()
	work, cancel := endingBefore(ctx, orDefault(rt.Reserve, defaultReserve))
	defer cancel()
	found, err := rt.Mint.Registry.Discover(work)
	if isCancelled(ctx) {
		err = nil
	}
	r.Learnt, r.Gone = found.Learned, found.Deleted
	rt.Journal.Discovery(ctx, journal.Discovery{
		Learned: r.Learnt, Gone: r.Gone, Err: err, Took: time.Since(began),
	})
	return r, err
}

// migrate rewrites rows of another format, and moves credential records, in the
// remaining time.
func (rt *Rotator) migrate(ctx context.Context) {
	done, err := rt.migrator.Migrate(ctx, rt.Mint.Records)
	switch {
	case ctx.Err() != nil: // it continues in the next pass
	case err != nil:
		rt.Journal.Failure(ctx, "migration", "", err)
	case done.Looked:
		rt.Journal.Event(ctx, slog.LevelInfo, "migration", "",
			fmt.Sprintf("%d rows of another format rewritten, %d left", done.Rewritten, done.Left))
	}
}

// isCancelled reports whether ctx was cancelled. A deadline that has passed
// does not count: such a pass returns an error.
func isCancelled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
