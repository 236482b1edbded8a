package local

import (
	"context"
	"log/slog"
	"slices"
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
	seen    []credential.Listed // in the folder, before the last pass
	store   *bolt.Store
	every   time.Duration
	log     *slog.Logger
}

// run makes a pass at once, one in each period, and one when the folder of
// credentials has changed, until ctx ends. It makes one pass at a time.
func (s *schedule) run(ctx context.Context) {
	period, poll := time.NewTicker(s.every), time.NewTicker(pollEvery)
	defer period.Stop()
	defer poll.Stop()
	var forgotten time.Time // when it last deleted expired rows
	for ctx.Err() == nil {
		s.changed(ctx)
		s.pass(ctx)
		if time.Since(forgotten) >= forgetEvery {
			forgotten = time.Now()
			s.forget(ctx)
		}
		if !s.wait(ctx, period.C, poll.C) {
			return
		}
	}
}

// wait waits for the time of the next pass. It returns false when ctx ends.
func (s *schedule) wait(ctx context.Context, period, poll <-chan time.Time) bool {
	for {
		select {
		case <-period:
			return true
		case <-poll:
			if s.changed(ctx) {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
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
