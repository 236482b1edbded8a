package local

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

const (
	shortestPass = time.Minute
	longestPass  = 5 * time.Minute
	forgetEvery  = time.Hour
	pollEvery    = time.Second // of the folder of credentials
)

// schedule takes the place of EventBridge.
type schedule struct {
	rotator *rotate.Rotator
	folder  credential.Source
	seen    []credential.Listed // in the folder, before the last discovery
	store   *bolt.Store
	every   time.Duration
	log     *slog.Logger
}

// run makes passes and discoveries until ctx ends, one of each at a time. A
// pass does not wait for a discovery.
func (s *schedule) run(ctx context.Context) {
	found := make(chan struct{}, 1)
	var discoveries sync.WaitGroup
	defer discoveries.Wait()
	discoveries.Go(func() { s.discoveries(ctx, found) })
	s.passes(ctx, found)
}

// passes makes a pass at once, one in each period, and one when a discovery has
// found something.
func (s *schedule) passes(ctx context.Context, found <-chan struct{}) {
	period := time.NewTicker(s.every)
	defer period.Stop()
	var forgotten time.Time // when it last deleted expired rows
	for ctx.Err() == nil {
		s.pass(ctx)
		if time.Since(forgotten) >= forgetEvery {
			forgotten = time.Now()
			s.forget(ctx)
		}
		select {
		case <-period.C:
		case <-found:
		case <-ctx.Done():
		}
	}
}

// discoveries makes a discovery at once, one in each period, and one when the
// folder of credentials has changed.
func (s *schedule) discoveries(ctx context.Context, found chan<- struct{}) {
	period, poll := time.NewTicker(s.every), time.NewTicker(pollEvery)
	defer period.Stop()
	defer poll.Stop()
	for ctx.Err() == nil {
		s.changed(ctx)
		if s.discover(ctx) {
			select {
			case found <- struct{}{}:
			default: // a pass begins soon
			}
		}
		s.wait(ctx, period.C, poll.C)
	}
}

// wait waits for the time of the next discovery, or the end of ctx.
func (s *schedule) wait(ctx context.Context, period, poll <-chan time.Time) {
	for {
		select {
		case <-period:
			return
		case <-poll:
			if s.changed(ctx) {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// discover makes one discovery and reports whether it found anything. Its
// result is in the journal.
func (s *schedule) discover(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, passTime(s.every))
	defer cancel()
	found, _ := s.rotator.Discover(ctx)
	return found.Learnt+found.Gone > 0
}

// changed reports whether a credential was added, replaced or removed since the
// last call.
func (s *schedule) changed(ctx context.Context) bool {
	listed, err := s.folder.List(ctx)
	if err != nil || slices.Equal(listed, s.seen) {
		return false
	}
	s.seen = listed
	return true
}

// pass makes one pass. Its result is in the journal.
func (s *schedule) pass(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, passTime(s.every))
	defer cancel()
	_, _ = s.rotator.Run(ctx)
}

// passTime returns how long one pass may take.
func passTime(every time.Duration) time.Duration {
	return max(min(4*every, longestPass), shortestPass)
}

// forget deletes rows whose time to be kept has ended.
func (s *schedule) forget(ctx context.Context) {
	n, err := s.store.Forget(ctx, time.Now())
	switch {
	case ctx.Err() != nil:
	case err != nil:
		s.log.LogAttrs(ctx, slog.LevelWarn, "forget", slog.String("error", err.Error()))
	case n > 0:
		s.log.LogAttrs(ctx, slog.LevelInfo, "forget", slog.Int("rows", n))
	}
}
