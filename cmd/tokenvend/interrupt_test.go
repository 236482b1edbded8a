package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// Ctrl-C while the server starts, as soon as its store's file is there; or the
// signal of "docker container stop" (Docker), of "Pod Lifecycle" (Kubernetes)
// and of systemd.kill.
func TestCaseC41_InterruptDuringStart(t *testing.T) {
	for i := range 6 {
		sig := []os.Signal{os.Interrupt, syscall.SIGTERM}[i%2]
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
		code := s.end(t, sig)
		if code != clierror.OK || strings.Contains(s.log.String(), "level=WARN") ||
			strings.Contains(s.log.String(), "tokenvend: ") {
			t.Errorf(
				"tokenvend serve, ended by %v during its start, exited with %d, want 0 and no warning:\n%s",
				sig,
				code,
				s.log.String(),
			)
		}
	}
}

// Ctrl-C while add tries the secret: an untried secret is not kept, which would
// be in use, and in the way of the next add.
func TestInterruptedAddKeepsNoSecret(t *testing.T) {
	s := demo(t, t.TempDir())
	s.fault(t, "trackmania", `{"delay":"8s"}`)
	whole, err := json.Marshal(secretOf(t, s.dir, "trackmania"))
	must(t, err)
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		var errs lockedBuffer
		add := &served{cmd: exec.Command(program, "add", "tm", "--json")}
		add.cmd.Dir, add.cmd.Env = s.dir, clean(s.dir)
		add.cmd.Stdin, add.cmd.Stderr = bytes.NewReader(whole), &errs
		must(t, add.cmd.Start())
		for deadline := time.Now().Add(10 * time.Second); !exists(s.dir, "tm"); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("add writes no file in 10 s: %s", errs.String())
			}
		}
		time.Sleep(300 * time.Millisecond) // the trial has begun
		code := add.end(t, sig)
		if code != clierror.Failed || !strings.Contains(errs.String(), "interrupted: tm was not added") ||
			exists(s.dir, "tm") {
			t.Errorf("add, ended by %v, = %d, %q, and its file is there: %t; want %d, that it was not added, and no file",
				sig, code, errs.String(), exists(s.dir, "tm"), clierror.Failed)
		}
	}
}
