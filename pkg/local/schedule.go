package local

import (
	"context"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
)

const (
	shortestPass = time.Minute
	longestPass  = 5 * time.Minute
	forgetEvery  = time.Hour
)

// schedule stands where EventBridge does.
type schedule struct {
	sweep *rotate.Sweep
	store *bolt.Store
	every time.Duration
	log   *slog.Logger
}

// run makes a pass at once and one in each period, never two at a time, until ctx ends.
func (s *schedule) run(ctx context.Context) {
	ticker := time.NewTicker(s.every)
	defer ticker.Stop()
	var forgot time.Time
	for {
		s.pass(ctx)
		if time.Since(forgot) >= forgetEvery {
			forgot = time.Now()
			s.forget(ctx)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// pass is one pass, and a line about it where there is something to tell.
func (s *schedule) pass(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, passTime(s.every))
	defer cancel()
	r, err := s.sweep.Run(limited)
	if ctx.Err() != nil {
		return
	}
	attrs := []slog.Attr{
		slog.Int("learnt", r.Learnt), slog.Int("gone", r.Gone), slog.Int("renewed", r.Renewed), slog.Int("retired", r.Retired),
		slog.Int("failed", r.Failed), slog.Int("left", r.Left), slog.Bool("more", r.More),
	}
	if err != nil {
		attrs = append(attrs, slog.String("error", err.Error()))
	}
	s.log.LogAttrs(ctx, weight(r, err), "pass", attrs...)
}

// passTime is how long one pass may take.
func passTime(every time.Duration) time.Duration {
	return max(min(4*every, longestPass), shortestPass)
}

// weight is the level that a pass deserves.
func weight(r rotate.Report, err error) slog.Level {
	switch {
	case err != nil || r.Failed > 0 || r.Left > 0 || r.More:
		return slog.LevelWarn
	case r != rotate.Report{}:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

// forget drops rows whose time is over.
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
