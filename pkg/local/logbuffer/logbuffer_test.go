package logbuffer

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink counts its writes.
type sink struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes int
	err    error
	takes  time.Duration // a write takes this long
}

func (s *sink) Write(p []byte) (int, error) {
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.text.Write(p)
	return len(p), s.err
}

func (s *sink) state() (string, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.writes
}

func put(t *testing.T, w *Writer, text string) {
	t.Helper()
	if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("Write(%q) = %d, %v, want %d, nil", text, n, err, len(text))
	}
}

func TestLinesAreWrittenTogetherAfterDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		w := New(s)
		put(t, w, "a\n")
		time.Sleep(Delay / 2)
		put(t, w, "b\n")
		time.Sleep(Delay/2 - time.Millisecond)
		if text, n := s.state(); n != 0 {
			t.Errorf("before the delay %q was written, want nothing", text)
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if text, n := s.state(); text != "a\nb\n" || n != 1 {
			t.Errorf("after the delay %q was written in %d writes, want both lines in one", text, n)
		}
		put(t, w, "c\n")
		time.Sleep(Delay + time.Millisecond)
		synctest.Wait()
		if text, n := s.state(); text != "a\nb\nc\n" || n != 2 {
			t.Errorf("a line after a flush: %q in %d writes, want all lines in two", text, n)
		}
		if err := w.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
}

// A line longer than what may wait is written without delay, also while another
// one is being written.
func TestLongLineDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{}
		w := New(s)
		long := strings.Repeat("x", 2*limit) + "\n"
		put(t, w, long)
		put(t, w, long)
		synctest.Wait()
		if text, n := s.state(); text != long+long || n != 2 {
			t.Errorf("two long lines: %d bytes in %d writes without delay, want %d in 2", len(text), n, 2*len(long))
		}
		if err := w.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
}

// What comes while a write goes on does not wait for its end, as long as there
// is room for it.
func TestLinesDoNotWaitForAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &sink{takes: time.Hour}
		w := New(s)
		began := time.Now()
		put(t, w, strings.Repeat("x", limit))
		synctest.Wait()
		put(t, w, "a\n")
		if took := time.Since(began); took != 0 {
			t.Errorf("a line took %v while a write goes on, want no time", took)
		}
		if err := w.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
		if text, n := s.state(); text != strings.Repeat("x", limit)+"a\n" || n != 2 {
			t.Errorf("%d bytes in %d writes, want both lines in 2", len(text), n)
		}
	})
}

func TestCloseWritesWhatWaits(t *testing.T) {
	s := &sink{}
	w := New(s)
	put(t, w, "a\n")
	if err := w.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	put(t, w, "b\n")
	if text, _ := s.state(); text != "a\nb\n" {
		t.Errorf("after Close %q was written, want both lines", text)
	}
}

func TestManyLinesDoNotWait(t *testing.T) {
	s := &sink{}
	w := New(s)
	line := strings.Repeat("x", 1000) + "\n"
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				_, _ = w.Write([]byte(line))
			}
		})
	}
	put(t, w, strings.Repeat("y", 2*limit)+"\n")
	all.Wait()
	if err := w.Close(); err != nil {
		t.Errorf("Close() = %v, want nil", err)
	}
	text, n := s.state()
	if strings.Count(text, line) != 800 || !strings.Contains(text, strings.Repeat("y", 2*limit)) {
		t.Errorf("800 lines and a long one: %d lines in %d bytes were written, want all", strings.Count(text, line),
			len(text))
	}
	if n > 30 {
		t.Errorf("800 lines took %d writes, want at most 30", n)
	}
}

func TestErrorOfALateWriteIsReturned(t *testing.T) {
	s := &sink{err: errors.New("full")}
	w := New(s)
	put(t, w, "a\n")
	if err := w.Close(); !errors.Is(err, s.err) {
		t.Errorf("Close() = %v, want %v", err, s.err)
	}
	if _, err := fmt.Fprintln(w, "b"); !errors.Is(err, s.err) {
		t.Errorf("Write() after Close = %v, want %v", err, s.err)
	}
}
