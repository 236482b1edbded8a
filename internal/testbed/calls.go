package testbed

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Calls is a proxy between a program and an AWS service that counts calls. The
// SDK's further attempts at a call, which a slow emulator provokes, do not
// count.
type Calls struct {
	Endpoint Endpoint // for the program, instead of the service's endpoint
	mu       sync.Mutex
	made     map[string]int
	taken    map[string]int  // what Take has returned
	begun    map[string]bool // invocations of the SDK; a second attempt has the same
	held     *hold           // nil: no call is held
	failing  *hold           // nil: no call fails
}

// hold is a call to hold or fail.
type hold struct {
	action           string
	before           int // calls of the action that pass before it
	arrived, release chan struct{}
}

// Hold holds the next call of an action after so many others of it, until
// release is called. arrived is closed when the call is there. Earlier calls
// are complete then, and this one is not.
func (c *Calls) Hold(action string, before int) (arrived <-chan struct{}, release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := &hold{action: action, before: before, arrived: make(chan struct{}), release: make(chan struct{})}
	c.held = h
	return h.arrived, sync.OnceFunc(func() { close(h.release) })
}

// Fail answers each call of an action with an error after so many others of it,
// until restore is called.
func (c *Calls) Fail(action string, before int) (restore func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failing = &hold{action: action, before: before}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.failing = nil
	}
}

// fails reports whether a call fails, and answers it if so.
func (c *Calls) fails(w http.ResponseWriter, action string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.failing
	if h == nil || h.action != action {
		return false
	}
	if h.before--; h.before >= 0 {
		return false
	}
	w.WriteHeader(http.StatusInternalServerError)
	return true
}

// wait returns when a call may pass.
func (c *Calls) wait(action string) {
	c.mu.Lock()
	h := c.held
	if h == nil || h.action != action {
		c.mu.Unlock()
		return
	}
	if h.before--; h.before >= 0 {
		c.mu.Unlock()
		return
	}
	c.held = nil
	c.mu.Unlock()
	close(h.arrived)
	<-h.release
}

// CountCalls starts a proxy in front of a service with one of AWS's JSON
// protocols, until the test ends. Calls that gate refuses do not reach the
// service; a nil gate refuses none.
func CountCalls(t testing.TB, service Endpoint, gate *Gate) *Calls {
	t.Helper()
	at, err := url.Parse(string(service))
	if err != nil {
		t.Fatal(err)
	}
	c := &Calls{made: map[string]int{}, taken: map[string]int{}, begun: map[string]bool{}}
	// Emulators close connections that are idle for 5 seconds. A request on one
	// that is being closed fails, and would be counted again.
	transport := &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 2 * time.Second}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body) // only then does net/http notice that a client is gone
		action := c.count(r.Header)
		if err == nil && gate != nil && !gate.admits(w, r, body) {
			return
		}
		c.wait(action)
		if err != nil || r.Context().Err() != nil || c.fails(w, action) {
			return
		}
		// A call is completed even if its client dies, because dynalite exits
		// on an aborted request.
		ctx, done := context.WithCancel(context.WithoutCancel(r.Context()))
		defer done()
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	c.Endpoint = Endpoint(server.URL)
	t.Cleanup(func() { server.Close(); transport.CloseIdleConnections() })
	return c
}

// count counts a call by its action: the part after the dot in
// "DynamoDB_20120810.GetItem".
func (c *Calls) count(header http.Header) (action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	target := header.Get("X-Amz-Target")
	action = target[strings.LastIndexByte(target, '.')+1:]
	invocation := header.Get("Amz-Sdk-Invocation-Id")
	if invocation == "" || !c.begun[invocation] {
		c.made[action]++
	}
	c.begun[invocation] = true
	return action
}

// Take returns how often each action was called since the last Take, answered
// or not.
func (c *Calls) Take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	made := c.made
	c.made = map[string]int{}
	for action, n := range made {
		c.taken[action] += n
	}
	return made
}

// All returns how often each action was called since the start.
func (c *Calls) All() map[string]int {
	c.Take()
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.taken)
}
