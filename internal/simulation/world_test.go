// Package simulation runs many instances of the real mint and rotate in
// simulated time, over a store that loses responses and providers that fail,
// with crashes anywhere: thousands of random schedules, each named by its seed.
package simulation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// world is what all instances of one schedule share.
type world struct {
	*testworld.World
	totals    *totals
	dice      *dice
	instances []*instance // the last is rotate's
	ledger    ledger
	calm      atomic.Bool  // no more faults
	temper    int          // index into tempers: what is known about reuse
	refused   atomic.Int64 // responses that ended alice's grant

	mu      sync.Mutex
	broken  []string
	started int // instances
}

// dice are random numbers for many goroutines. In a bubble the scheduler
// chooses the order of goroutines, so a seed determines the faults of a
// schedule and not that order.
type dice struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (d *dice) n(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.r.IntN(n)
}

func (d *dice) between(least, most time.Duration) time.Duration {
	return least + time.Duration(d.n(int((most-least)/time.Millisecond)+1))*time.Millisecond
}

func (d *dice) oneIn(n int) bool { return d.n(n) == 0 }

// promise reports a broken promise.
func (w *world) promise(kept bool, format string, args ...any) {
	if kept {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf(format, args...))
}

// instance is one process: it has its own memory and can be killed.
type instance struct {
	*testworld.Process
	rotator *rotate.Rotator
	dead    *atomic.Bool
}

func (w *world) newInstance() *instance {
	dead := &atomic.Bool{}
	p := w.NewProcess(func(c *mint.Config) {
		c.Store = &flakyStore{Store: w.Store, w: w, dead: dead}
		c.HTTP = &http.Client{Transport: &wire{w: w, dead: dead}}
		c.Journal = w.journal()
	})
	return &instance{Process: p, rotator: &rotate.Rotator{Mint: p.Mint, Store: w.Store}, dead: dead}
}

// journal writes nothing, unless a single schedule is being examined.
func (w *world) journal() journal.Journal {
	if !*aloud {
		return journal.Journal{}
	}
	w.started++
	return journal.Journal{Log: w.Journal.Log.With("instance", w.started)}
}

var (
	errKilled = errors.New("this process is dead")
	errLost   = errors.New("the answer was lost")
	errDown   = errors.New("the store is down")
)

// flakyStore is a store that sometimes does nothing, or loses the response of a
// completed operation. For a dead process it does nothing.
type flakyStore struct {
	store.Store
	w    *world
	dead *atomic.Bool
}

// before returns why an operation is not done, and after why its response is
// lost.
func (s *flakyStore) before() error {
	switch {
	case s.dead.Load():
		return errKilled
	case !s.w.calm.Load() && s.w.dice.oneIn(40):
		return errDown
	}
	return nil
}

func (s *flakyStore) after(err error) error {
	switch {
	case s.dead.Load():
		return errKilled
	case err == nil && !s.w.calm.Load() && s.w.dice.oneIn(40):
		return errLost
	}
	return err
}

func (s *flakyStore) Get(ctx context.Context, c store.Consistency, keys ...token.Key) ([]store.Entry, error) {
	if err := s.before(); err != nil {
		return nil, err
	}
	e, err := s.Store.Get(ctx, c, keys...)
	return e, s.after(err)
}

func (s *flakyStore) Acquire(ctx context.Context, seen store.Entry, ttl time.Duration) (store.Lease, error) {
	if err := s.before(); err != nil {
		return store.Lease{}, err
	}
	l, err := s.Store.Acquire(ctx, seen, ttl)
	if lost := s.after(err); lost != err {
		return store.Lease{}, lost
	}
	return l, err
}

func (s *flakyStore) Commit(ctx context.Context, l store.Lease, next store.Entry) error {
	if err := s.before(); err != nil {
		return err
	}
	return s.after(s.Store.Commit(ctx, l, next))
}

func (s *flakyStore) Replace(ctx context.Context, seen, next store.Entry) (store.Entry, error) {
	if err := s.before(); err != nil {
		return store.Entry{}, err
	}
	e, err := s.Store.Replace(ctx, seen, next)
	if lost := s.after(err); lost != err {
		return store.Entry{}, lost
	}
	return e, err
}

// wire is the HTTP transport of one process. Requests that a dead process sent
// still arrive; it gets no responses.
type wire struct {
	w    *world
	dead *atomic.Bool
}

func (x *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	if x.dead.Load() {
		return nil, errKilled
	}
	if r.Method == http.MethodGet { // each instance verifies a reported token
		return x.w.Providers.RoundTrip(r)
	}
	began := x.w.ledger.begin(x.w, r.URL.Host, x.dead)
	res, err := x.w.Providers.RoundTrip(r)
	x.w.ledger.end(r.URL.Host, began)
	if err == nil {
		x.w.overhear(r.URL.Host, res)
	}
	if x.dead.Load() {
		if err == nil {
			_ = res.Body.Close()
		}
		return nil, errKilled
	}
	return res, err
}

// overhear records that the provider for users answered that a grant has ended.
func (w *world) overhear(host string, res *http.Response) {
	if host != w.host("trackmania") || res.StatusCode/100 != 4 {
		return
	}
	body, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	if res.StatusCode == http.StatusUnauthorized || bytes.Contains(body, []byte("invalid_grant")) {
		w.refused.Add(1)
	}
}

// mayBeOver reports whether alice's grant may be reported as ended: no account
// was connected yet, or the provider said so in this schedule.
func (w *world) mayBeOver(err error) bool {
	return w.refused.Load() > 0 || strings.Contains(err.Error(), "nobody has connected")
}

// ledger records the current requests to each provider. Each provider has one
// credential here with only its default key, so a provider is a key.
type ledger struct {
	mu    sync.Mutex
	under map[string][]*exchange
	asked map[string]int
}

type exchange struct {
	dead *atomic.Bool
	at   time.Time
}

// begin checks the first promise: one token request at a time per key, unless
// the other requester is dead.
func (l *ledger) begin(w *world, host string, dead *atomic.Bool) *exchange {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.under == nil {
		l.under, l.asked = map[string][]*exchange{}, map[string]int{}
	}
	for _, other := range l.under[host] {
		w.promise(other.dead.Load(), "%s is asked twice at a time; the other began %v ago", host, time.Since(other.at))
	}
	e := &exchange{dead: dead, at: time.Now()}
	l.under[host] = append(l.under[host], e)
	l.asked[host]++
	return e
}

func (l *ledger) end(host string, e *exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var rest []*exchange
	for _, other := range l.under[host] {
		if other != e {
			rest = append(rest, other)
		}
	}
	l.under[host] = rest
}

func (l *ledger) count(host string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[host]
}

// host returns the host of a credential's provider.
func (w *world) host(credential string) string {
	rest := strings.TrimPrefix(w.Providers.TokenURL(credential), "https://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}
