package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// Ctrl-C while the server starts, as soon as its store's file is there.
func TestCaseC41_InterruptDuringStart(t *testing.T) {
	for range 5 {
		s := &served{dir: t.TempDir()}
		s.cmd = exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--data", "data")
		s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = s.dir, clean(s.dir), &s.out, &s.log
		if err := s.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		started := filepath.Join(s.dir, "data", "entries.db")
		for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if _, err := os.Stat(started); err == nil {
				break
			}
		}
		code := s.end(t, os.Interrupt)
		if code != clierror.OK || strings.Contains(s.log.String(), "level=WARN") ||
			strings.Contains(s.log.String(), "tokenvend: ") {
			t.Errorf(
				"tokenvend serve, interrupted during its start, exited with %d, want 0 and no warning:\n%s",
				code,
				s.log.String(),
			)
		}
	}
}
