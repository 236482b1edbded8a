// Package logbuffer gathers the lines of a log. Under load a server writes tens
// of thousands of them a second, and each write to a file is a system call.
package logbuffer

import (
	"io"
	"sync"
	"time"
)

// Delay is how long a line waits at most. A crash loses the lines that wait.
const Delay = 100 * time.Millisecond

// limit is how many bytes wait at most.
const limit = 64 << 10

// Writer gathers what is written to it and writes it to another one after
// [Delay], or at once where it is too much to wait. It is safe for concurrent
// use. The error of a late write is returned by the next call.
type Writer struct {
	out io.Writer

	mu      sync.Mutex
	waiting []byte
	flush   *time.Timer // runs while something waits
	closed  bool
	err     error
}

// New returns a Writer that writes to out. It is to be closed, and may be used
// after that: then it writes without delay.
func New(out io.Writer) *Writer {
	w := &Writer{out: out, waiting: make([]byte, 0, limit)}
	w.flush = time.AfterFunc(Delay, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.writeAll()
	})
	return w
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting)+len(p) > limit {
		w.writeAll()
	}
	if len(w.waiting) == 0 {
		w.flush.Reset(Delay)
	}
	w.waiting = append(w.waiting, p...)
	if w.closed || len(w.waiting) >= limit {
		w.writeAll()
	}
	err := w.err
	w.err = nil
	return len(p), err
}

// Close writes what waits.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	w.writeAll()
	return w.err
}

func (w *Writer) writeAll() {
	w.flush.Stop()
	if len(w.waiting) == 0 {
		return
	}
	if _, err := w.out.Write(w.waiting); err != nil {
		w.err = err
	}
	w.waiting = w.waiting[:0]
}
