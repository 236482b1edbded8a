package testbed

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// Extension is one process of a Lambda extension, in an environment that stands
// in for Lambda's Extensions API (AWS Lambda Developer Guide, "Using the Lambda
// Extensions API to create extensions").
type Extension struct {
	server  *httptest.Server
	process *process
	began   time.Time

	polled chan struct{} // one for each request for an event
	events chan string   // the JSON of the events to come

	mu         sync.Mutex
	registered Registration
	errors     []string
	init       time.Duration
}

// Registration is what an extension registered with.
type Registration struct {
	Name   string
	Events []string `json:"events"`
}

const (
	extensionPath       = "/2020-01-01/extension/"
	extensionIdentifier = "00000000-0000-4000-8000-00000000ee01"
)

// StartExtension starts an extension with only this environment, until the test
// ends. It returns when the extension asks for its first event, or has exited.
func StartExtension(t testing.TB, binary string, env ...string) *Extension {
	t.Helper()
	e := &Extension{polled: make(chan struct{}, 1), events: make(chan string)}
	e.server = httptest.NewServer(e.handler())
	t.Cleanup(e.server.Close)
	cmd := exec.Command(binary)
	cmd.Env = append([]string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(e.server.URL, "http://")}, env...)
	e.process = &process{name: binary, cmd: cmd, ended: make(chan struct{})}
	e.mu.Lock() // the handler reads it
	e.began = time.Now()
	e.mu.Unlock()
	if err := e.process.launch(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.process.end)
	e.awaitPoll(t)
	return e
}

func (e *Extension) awaitPoll(t testing.TB) {
	t.Helper()
	select {
	case <-e.polled:
	case <-e.process.ended:
	case <-time.After(startWithin):
		t.Fatalf("the extension asks for no event after %v; it said:\n%s", startWithin, e.Output())
	}
}

func (e *Extension) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+extensionPath+"register", e.register)
	mux.HandleFunc("GET "+extensionPath+"event/next", e.next)
	for _, operation := range []string{"init/error", "exit/error"} {
		mux.HandleFunc("POST "+extensionPath+operation, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			e.mu.Lock()
			kind := r.Header.Get("Lambda-Extension-Function-Error-Type")
			e.errors = append(e.errors, operation+" "+kind+" "+string(body))
			e.mu.Unlock()
			w.WriteHeader(http.StatusAccepted)
		})
	}
	return mux
}

func (e *Extension) register(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.registered.Name = r.Header.Get("Lambda-Extension-Name")
	if json.NewDecoder(r.Body).Decode(&e.registered) != nil || e.registered.Name == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Lambda-Extension-Identifier", extensionIdentifier)
	_, _ = io.WriteString(w, `{"functionName":"caller","functionVersion":"$LATEST","handler":"index.handler"}`)
}

func (e *Extension) next(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Lambda-Extension-Identifier") != extensionIdentifier {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	e.mu.Lock()
	if e.init == 0 {
		e.init = time.Since(e.began)
	}
	e.mu.Unlock()
	e.polled <- struct{}{}
	select {
	case event := <-e.events:
		_, _ = io.WriteString(w, event)
	case <-r.Context().Done():
	}
}

// Invoke sends the event of an invocation, and waits until the extension asks
// for the next one.
func (e *Extension) Invoke(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(time.Minute).UnixMilli()
	e.send(t, fmt.Sprintf(`{"eventType":"INVOKE","deadlineMs":%d,"requestId":"1","invokedFunctionArn":"a"}`, deadline))
	e.awaitPoll(t)
}

// Shutdown sends the event of the end, and returns the extension's exit code.
func (e *Extension) Shutdown(t testing.TB) int {
	t.Helper()
	e.send(t, `{"eventType":"SHUTDOWN","shutdownReason":"spindown","deadlineMs":0}`)
	return e.ExitCode(t)
}

// ExitCode waits for the extension's end.
func (e *Extension) ExitCode(t testing.TB) int {
	t.Helper()
	select {
	case <-e.process.ended:
	case <-time.After(startWithin):
		t.Fatalf("the extension has not ended after %v; it said:\n%s", startWithin, e.Output())
	}
	return e.process.cmd.ProcessState.ExitCode()
}

func (e *Extension) send(t testing.TB, event string) {
	t.Helper()
	select {
	case e.events <- event:
	case <-e.process.ended:
		t.Fatalf("the extension has ended; it said:\n%s", e.Output())
	}
}

// Registration returns what the extension registered with.
func (e *Extension) Registration() Registration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.registered
}

// Errors returns the errors that the extension reported to Lambda.
func (e *Extension) Errors() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string{}, e.errors...)
}

// Init returns how long the extension took from its start to its first request
// for an event.
func (e *Extension) Init() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.init
}

// End kills the process, and waits for it.
func (e *Extension) End() { e.process.end() }

// Output returns the end of what the extension wrote.
func (e *Extension) Output() string { return e.process.output.String() }

// PID returns the process ID.
func (e *Extension) PID() int { return e.process.cmd.Process.Pid }

// Signal sends the process a signal, for example to freeze it as Lambda does
// between invocations.
func (e *Extension) Signal(s os.Signal) error { return e.process.cmd.Process.Signal(s) }
