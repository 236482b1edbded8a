package local

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Ctrl-C may come at any moment of the start: before the server is built, while
// it announces itself, in the first pass.
func TestCaseC41_EndDuringStartIsClean(t *testing.T) {
	for _, after := range []time.Duration{
		0, time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond,
	} {
		t.Run(fmt.Sprintf("after %v", after), func(t *testing.T) {
			var log buffer
			ctx, cancel := context.WithCancel(t.Context())
			if after == 0 {
				cancel()
			}
			time.AfterFunc(after, cancel)
			c := Config{Data: t.TempDir(), Listen: "127.0.0.1:0", Log: textLog(&log)}
			if err := Serve(ctx, c); err != nil {
				t.Errorf("Serve() = %v, want nil after an end that was asked for", err)
			}
			if text := log.String(); strings.Contains(text, "level=WARN") || strings.Contains(text, "level=ERROR") {
				t.Errorf("the log of a clean end has a warning:\n%s", text)
			}
		})
	}
}

func TestDeadlineOfCtxEndsCleanly(t *testing.T) {
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, http.ErrServerClosed)
	defer cancel()
	if err := Serve(ctx, Config{Data: t.TempDir(), Listen: "127.0.0.1:0"}); err != nil {
		t.Errorf("Serve() = %v, want nil after the deadline of its ctx", err)
	}
}
