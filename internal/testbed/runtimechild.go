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

// Bootstrap is one process of a function, an instance in Lambda's terms.
type Bootstrap struct {
	runtime    *Runtime
	server     *httptest.Server // the Runtime API for this process
	cmd        *exec.Cmd
	output     lockedBuffer
	taken      sync.Map // its running invocations by ID
	initErrors atomic.Int64
	polled     func() // closes ready, once
	ready      chan struct{}
	ended      chan struct{}
}

// Start starts another process of the function until the test ends, with only
// this environment. It returns when the process asks for an invocation or has
// exited.
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

// launch starts the child from a thread that lives as long as the child,
// because Linux ends a child with the thread that created it.
func (b *Bootstrap) launch() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(b.ended)
		err := b.cmd.Start()
		started <- err
		if err == nil {
			_ = b.cmd.Wait() // its output shows how it ended
			b.abandon()
		}
	}()
	return <-started
}

// abandon fails the invocations that the process did not finish.
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

// Kill kills this process and waits for it.
func (b *Bootstrap) Kill() {
	_ = b.cmd.Process.Kill() // the only error is that it has exited already
	<-b.ended
}

// Signal sends the process a signal, for example to stop and continue it.
func (b *Bootstrap) Signal(s os.Signal) error { return b.cmd.Process.Signal(s) }

// PID returns the process ID.
func (b *Bootstrap) PID() int { return b.cmd.Process.Pid }

// Ended reports whether the process has exited.
func (b *Bootstrap) Ended() bool {
	select {
	case <-b.ended:
		return true
	default:
		return false
	}
}

// InitErrors returns how often the process reported an initialization error.
func (b *Bootstrap) InitErrors() int { return int(b.initErrors.Load()) }

// Output returns all output of the process so far, which Lambda would log.
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
