package testbed

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// instance returns a process of the runtime that the test itself plays.
func instance(r *Runtime) *Bootstrap {
	return &Bootstrap{runtime: r, polled: func() {}}
}

// send sends one request to the Runtime API and returns the status of the
// response.
func send(t *testing.T, b *Bootstrap, method, path, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, runtimePath+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	w := &discard{header: http.Header{}, status: http.StatusOK}
	b.handler().ServeHTTP(w, r)
	return w.status
}

type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(status int)      { d.status = status }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

func TestAnInvocationEndsOnce(t *testing.T) {
	r := NewRuntime(time.Minute)
	b := instance(r)
	go func() {
		send(t, b, "GET", "invocation/next", "")
		const id = "00000000-0000-4000-8000-000000000001"
		if first, second := send(
			t, b, "POST", "invocation/"+id+"/response", "7",
		), send(t, b, "POST", "invocation/"+id+"/error", "{}"); first != http.StatusAccepted ||
			second != http.StatusBadRequest {
			t.Errorf("%d, and once more %d", first, second)
		}
	}()
	answer, failed, err := r.Invoke(t.Context(), "arn", nil)
	if string(answer) != "7" || failed != nil || err != nil {
		t.Errorf("%s, %v, %v", answer, failed, err)
	}
}

func TestAnInvocationThatTakesTooLong(t *testing.T) {
	r := NewRuntime(10 * time.Millisecond)
	go send(t, instance(r), "GET", "invocation/next", "")
	if _, failed, err := r.Invoke(t.Context(), "arn", nil); failed == nil || failed.ErrorType != "Sandbox.Timedout" ||
		err != nil {
		t.Errorf("%v, %v", failed, err)
	}
}

func TestNobodyTakesTheInvocation(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := NewRuntime(time.Minute).Invoke(ctx, "arn", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
