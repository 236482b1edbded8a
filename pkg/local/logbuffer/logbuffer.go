// Package logbuffer gathers the lines of a log. Under load a server writes tens
// of thousands of them a second, and each write to a file is a system call.
package logbuffer

import (
	"io"
	"sync"
	"time"
)

// Delay is how long a line waits at most, unless the write before takes longer.
// A crash loses the lines that wait.
const Delay = 100 * time.Millisecond

// limit is how many bytes wait at most, besides those that are being written.
const limit = 64 << 10

// Writer gathers what is written to it and writes it to another one after
// [Delay], or at once where it is too much to wait. Meanwhile it gathers what
// comes next. It is safe for concurrent use. The error of a late write is
// returned by the next call.
type Writer struct {
	out io.Writer

	mu      sync.Mutex
	waiting []byte
	spare   []byte      // takes the place of waiting while that is written
	writing bool        // one write at a time, in the order of the lines
	written sync.Cond   // a write has ended
	flush   *time.Timer // runs while something waits
	late    bool        // what waits is to be written as soon as this write ends
	closed  bool
	err     error
}

// New returns a Writer that writes to out. It is to be closed, and may be used
// after that: then it writes without delay.
func New(out io.Writer) *Writer {
	w := &Writer{out: out, waiting: make([]byte, 0, limit), spare: make([]byte, 0, limit)}
	w.written.L = &w.mu
	w.flush = time.AfterFunc(Delay, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.writeSoon()
	})
	return w
}

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.writing && len(w.waiting)+len(p) > limit {
		w.written.Wait()
	}
	if len(w.waiting)+len(p) > limit {
		w.writeWaiting()
	}
	if len(w.waiting) == 0 {
		w.flush.Reset(Delay)
	}
	w.waiting = append(w.waiting, p...)
	if w.closed {
		w.writeAll()
	} else if len(w.waiting) >= limit {
		w.writeSoon()
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

// writeSoon starts to write what waits, at once or after the write that goes
// on. w.mu must be held.
func (w *Writer) writeSoon() {
	if w.late = w.writing; !w.late {
		w.writeWaiting()
	}
}

// writeAll returns once nothing waits and nothing is being written. w.mu must
// be held.
func (w *Writer) writeAll() {
	for w.writing || len(w.waiting) > 0 {
		if !w.writing {
			w.writeWaiting()
		}
		w.written.Wait()
	}
}

// writeWaiting starts to write what waits. w.mu must be held, and nothing be
// written.
func (w *Writer) writeWaiting() {
	w.flush.Stop()
	if len(w.waiting) == 0 {
		return
	}
	text := w.waiting
	w.waiting, w.spare, w.writing = w.spare[:0], nil, true
	go func() {
		_, err := w.out.Write(text)
		w.mu.Lock()
		defer w.mu.Unlock()
		if err != nil {
			w.err = err
		}
		w.spare, w.writing = text, false
		w.written.Broadcast()
		if w.late {
			w.late = false
			w.writeWaiting()
		}
	}()
}
