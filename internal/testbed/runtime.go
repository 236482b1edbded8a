package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Runtime is Lambda for one function: a queue of invocations and any number of
// processes of its real program, which take them over Lambda's Runtime API (AWS
// Lambda Developer Guide, "Using the Lambda runtime API").
type Runtime struct {
	// Trace is the tracing header of each invocation.
	Trace   string
	timeout time.Duration
	queue   chan *invocation
	served  atomic.Int64
}

// unsampled is the tracing header of an invocation that is not traced.
const unsampled = "Root=1-00000000-000000000000000000000000;Sampled=0"

// NewRuntime returns the Runtime of a function with this timeout.
func NewRuntime(timeout time.Duration) *Runtime {
	return &Runtime{Trace: unsampled, timeout: timeout, queue: make(chan *invocation)}
}

// FunctionError is the error of an invocation, as Lambda returns it to the
// invoker.
type FunctionError struct {
	ErrorType    string `json:"errorType"`
	ErrorMessage string `json:"errorMessage"`
}

// invocation is a queued or running invocation.
type invocation struct {
	id, arn  string
	payload  []byte
	finished chan outcome // holds one
}

// outcome is the result of an invocation: a response or a function error.
type outcome struct {
	answer []byte
	failed *FunctionError
}

// Invoke queues one invocation of the function under arn, which is what Lambda
// vouches for, and waits for how it ends. An error means that ctx ended first.
// A process that ends in the middle, and one that takes longer than the
// function may, end it as Lambda would: with a function error.
func (r *Runtime) Invoke(ctx context.Context, arn string, payload []byte) ([]byte, *FunctionError, error) {
	in := &invocation{
		id: fmt.Sprintf("00000000-0000-4000-8000-%012d", r.served.Add(1)), arn: arn, payload: payload,
		finished: make(chan outcome, 1),
	}
	select {
	case r.queue <- in:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	late := time.NewTimer(r.timeout)
	defer late.Stop()
	select {
	case out := <-in.finished:
		return out.answer, out.failed, nil
	case <-late.C:
		return nil, &FunctionError{
			ErrorType: "Sandbox.Timedout", ErrorMessage: fmt.Sprintf("Task timed out after %v", r.timeout),
		}, nil
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
}

const runtimePath = "/2018-06-01/runtime/"

// handler serves the four endpoints of the Runtime API to one process.
func (b *Bootstrap) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+runtimePath+"invocation/next", b.next)
	mux.HandleFunc("POST "+runtimePath+"invocation/{id}/response", func(w http.ResponseWriter, r *http.Request) {
		b.finish(w, r, func(body []byte) outcome { return outcome{answer: body} })
	})
	mux.HandleFunc("POST "+runtimePath+"invocation/{id}/error", func(w http.ResponseWriter, r *http.Request) {
		b.finish(w, r, func(body []byte) outcome { return outcome{failed: readError(body)} })
	})
	mux.HandleFunc("POST "+runtimePath+"init/error", func(w http.ResponseWriter, r *http.Request) {
		b.initErrors.Add(1)
		w.WriteHeader(http.StatusAccepted)
	})
	return mux
}

// next returns the next invocation when there is one. Its deadline starts then.
func (b *Bootstrap) next(w http.ResponseWriter, r *http.Request) {
	b.polled()
	select {
	case in := <-b.runtime.queue:
		b.taken.Store(in.id, in)
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", in.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(b.runtime.timeout).UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", in.arn)
		h.Set("Lambda-Runtime-Trace-Id", b.runtime.Trace)
		_, _ = w.Write(in.payload)
	case <-r.Context().Done():
	}
}

// finish completes the invocation that the path names, once.
func (b *Bootstrap) finish(w http.ResponseWriter, r *http.Request, read func([]byte) outcome) {
	body, err := io.ReadAll(r.Body)
	in, known := b.taken.LoadAndDelete(r.PathValue("id"))
	if err != nil || !known {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in.(*invocation).finished <- read(body)
	w.WriteHeader(http.StatusAccepted)
}

func readError(body []byte) *FunctionError {
	var e FunctionError
	if err := json.Unmarshal(body, &e); err != nil {
		e.ErrorType, e.ErrorMessage = "Runtime.Unknown", string(body)
	}
	return &e
}
