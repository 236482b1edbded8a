package rotate_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/journal"
)

// A pass whose context is cancelled is no failure. One that runs out of time
// is.
func TestCaseC41_CancelledPassIsNoFailure(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	for name, c := range map[string]struct {
		ctx  context.Context
		fail bool
	}{"cancelled": {cancelled, false}, "out of time": {late, true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, testworld.Config{})
			w.Put("minut", "minut", nil)
			var log bytes.Buffer
			w.rotator.Journal = journal.Journal{Log: slog.New(slog.NewTextHandler(&log, nil))}
			_, err := w.rotator.Run(c.ctx)
			warned := strings.Contains(log.String(), "level=WARN")
			if (err != nil) != c.fail || warned != c.fail {
				t.Errorf(
					"Run(%s ctx) = %v and its log has a warning: %t; want a failure: %t\n%s",
					name,
					err,
					warned,
					c.fail,
					&log,
				)
			}
		})
	}
}
