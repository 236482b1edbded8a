package testbed

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Calls stands between a program and an AWS service, and counts what is asked.
type Calls struct {
	Endpoint Endpoint // for the program, in place of the service's own
	mu       sync.Mutex
	made     map[string]int
	taken    map[string]int // what Take has shown
}

// CountCalls starts a proxy in front of a service that speaks one of AWS's JSON protocols, until the test ends.
func CountCalls(t testing.TB, service Endpoint) *Calls {
	t.Helper()
	at, err := url.Parse(string(service))
	if err != nil {
		t.Fatal(err)
	}
	c := &Calls{made: map[string]int{}, taken: map[string]int{}}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(at) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.count(r.Header.Get("X-Amz-Target"))
		proxy.ServeHTTP(w, r)
	}))
	c.Endpoint = Endpoint(server.URL)
	t.Cleanup(func() { server.Close(); transport.CloseIdleConnections() })
	return c
}

// count notes a call by its action: what follows the dot in "DynamoDB_20120810.GetItem".
func (c *Calls) count(target string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made[target[strings.LastIndexByte(target, '.')+1:]]++
}

// Take returns how often each action was asked for since the last Take, answered or not.
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

// All returns how often each action was asked for since the start.
func (c *Calls) All() map[string]int {
	c.Take()
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.taken)
}
