package bolt_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/bolt"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// childFile names the environment variable with the file that the child process
// of this test writes to.
const childFile = "TOKENVEND_TEST_BOLT_FILE"

const childTTL = 300 * time.Millisecond

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		fmt.Println(writeForever(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// writeForever takes a lease and keeps it, and commits to another key. It
// prints each confirmed revision.
func writeForever(path string) error {
	ctx := context.Background()
	s, err := bolt.Open(path)
	if err != nil {
		return err
	}
	if _, err := s.Acquire(ctx, store.Entry{Key: token.RecordKey("minut")}, childTTL); err != nil {
		return err
	}
	for e := (store.Entry{Key: key}); ; e.Revision++ {
		l, err := s.Acquire(ctx, e, time.Minute)
		if err != nil {
			return err
		}
		next := store.Entry{NextAt: noon.Add(time.Duration(e.Revision+1) * time.Second)}
		if err := s.Commit(ctx, l, next); err != nil {
			return err
		}
		fmt.Println(e.Revision + 1)
	}
}

// child starts the child process and returns its lines of output.
func child(t *testing.T, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

func TestFault07_WhatIsConfirmedSurvivesKill(t *testing.T) {
	path := file(t)
	cmd, lines := child(t, path)
	var confirmed int64
	for lines.Scan() {
		n, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Fatal(lines.Text())
		}
		confirmed = n
		if n == 20 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}

	s := open(t, path)
	got := get(t, s, key)
	if got.Revision < confirmed || got.Revision > confirmed+1 || confirmed < 20 {
		t.Errorf("revision %d stands, %d was confirmed", got.Revision, confirmed)
	}
	due, err := s.Due(t.Context(), noon.Add(time.Hour), 10)
	if err != nil || len(due) != 1 || !due[0].NextAt.Equal(got.NextAt) ||
		!got.NextAt.Equal(noon.Add(time.Duration(got.Revision)*time.Second)) {
		t.Errorf("Due = %v, %v; NextAt is %v", due, err, got.NextAt)
	}
	leaseRunsOut(t, s)
}

func leaseRunsOut(t *testing.T, s store.Store) {
	t.Helper()
	seen := store.Entry{Key: token.RecordKey("minut")}
	for end := time.Now().Add(10 * childTTL); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		l, err := s.Acquire(t.Context(), seen, time.Minute)
		if err == nil {
			if l.Attempt != 2 {
				t.Errorf("Attempt = %d", l.Attempt)
			}
			return
		}
		if !errors.Is(err, store.ErrLeased) {
			t.Fatal(err)
		}
	}
	t.Error("the dead process's lease did not run out")
}

func TestFileInUseIsNamedSoon(t *testing.T) {
	path := file(t)
	_, lines := child(t, path)
	if !lines.Scan() || lines.Text() != "1" {
		t.Fatal(lines.Text())
	}
	start := time.Now()
	_, err := bolt.Open(path)
	if took := time.Since(start); !errors.Is(err, bolt.ErrInUse) || !strings.Contains(err.Error(), path) ||
		took > 3*time.Second {
		t.Errorf("Open: %v after %v", err, took)
	}
}
