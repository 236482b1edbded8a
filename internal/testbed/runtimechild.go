package testbed

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Bootstrap is one process of a function: an instance, in Lambda's words.
type Bootstrap struct {
	runtime    *Runtime
	server     *httptest.Server // the Runtime API, as this process sees it
	cmd        *exec.Cmd
	output     lockedBuffer
	taken      sync.Map // the invocations that it works on, by id
	initErrors atomic.Int64
	polled     func() // closes ready, once
	ready      chan struct{}
	ended      chan struct{}
}

// Start runs one more process of the function until the test ends, with that
// environment and no other variable, and returns once it asks for work or has
// ended.
func (r *Runtime) Start(t testing.TB, binary string, env ...string) *Bootstrap {
	t.Helper()
	b := &Bootstrap{runtime: r, cmd: exec.Command(binary), ready: make(chan struct{}), ended: make(chan struct{})}
	b.polled = sync.OnceFunc(func() { close(b.ready) })
	b.server = httptest.NewServer(b.handler())
	t.Cleanup(b.server.Close)
	b.cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(b.server.URL, "http://")}, env...)
	b.cmd.Stdout, b.cmd.Stderr = &b.output, &b.output
	b.cmd.WaitDelay = time.Second
	endWithUs(b.cmd)
	if err := b.launch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Kill)
	select {
	case <-b.ready:
	case <-b.ended:
	case <-time.After(startWithin):
		t.Fatalf("%s asks for no work after %v; it said:\n%s", binary, startWithin, b.Output())
	}
	return b
}

// launch starts the child from a thread that lives as long as the child: Linux
// ends a child with the thread that made it.
func (b *Bootstrap) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(b.ended)
		err := b.cmd.Start()
		started <- err
		if err == nil {
			_ = b.cmd.Wait() // how it ended is in its output
			b.abandon()
		}
	}()
	return <-started
}

// abandon ends what the process took and did not finish.
func (b *Bootstrap) abandon() {
	b.taken.Range(func(id, in any) bool {
		if _, open := b.taken.LoadAndDelete(id); open {
			in.(*invocation).finished <- outcome{
				failed: &FunctionError{ErrorType: "Runtime.ExitError", ErrorMessage: b.cmd.ProcessState.String()},
			}
		}
		return true
	})
}

// Kill ends the process, this one and no other, and waits for it.
func (b *Bootstrap) Kill() {
	_ = b.cmd.Process.Kill() // the one error: it has ended already
	<-b.ended
}

// Signal sends the process a signal: to stop it where it stands, and to let it
// go on.
func (b *Bootstrap) Signal(s os.Signal) error { return b.cmd.Process.Signal(s) }

// PID is the process's number.
func (b *Bootstrap) PID() int { return b.cmd.Process.Pid }

// Ended reports whether the process is over.
func (b *Bootstrap) Ended() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// InitErrors counts how often the process told Lambda that it can't start.
func (b *Bootstrap) InitErrors() int { return int(b.initErrors.Load()) }

// Output is all that the process has written so far: what Lambda would put into
// the log.
func (b *Bootstrap) Output() string { return b.output.String() }

// lockedBuffer is a buffer that a process writes while a test reads.
type lockedBuffer struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (o *lockedBuffer) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept.Write(p)
}

func (o *lockedBuffer) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept.String()
}
