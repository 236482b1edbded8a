// Package storetest is the contract of package store as tests. A backend's own test file calls [Run].
package storetest

import (
	"flag"
	"strconv"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// Option changes what Run does.
type Option func(*options)

type options struct {
	checks int
	rounds int
}

// Checks says how many random sequences of calls, of about 30 each, are compared with the model. Not given: 30.
func Checks(n int) Option { return func(o *options) { o.checks = n } }

// Rounds says how often 64 goroutines race for one lease. Not given: 20.
func Rounds(n int) Option { return func(o *options) { o.rounds = n } }

// Run holds a store to its contract. open gives an empty store, is called once for each sub-test, and cleans up by way of t.Cleanup. Time is real: leases of some milliseconds are left to run out, on a backend however slow.
func Run(t *testing.T, open func(t *testing.T) store.Store, with ...Option) {
	o := options{checks: 30, rounds: 20}
	for _, set := range with {
		set(&o)
	}
	for _, group := range [][]sentence{reading, writing, leasing, listing, racing} {
		for _, s := range group {
			t.Run(s.says, func(t *testing.T) { s.test(desk{t, open(t)}) })
		}
	}
	t.Run("of 64 that acquire at once exactly one wins", func(t *testing.T) { testRace(desk{t, open(t)}, o.rounds) })
	t.Run("behaves as the model in random sequences", func(t *testing.T) {
		restore := flag.Lookup("rapid.checks").Value.String()
		t.Cleanup(func() { _ = flag.Set("rapid.checks", restore) })
		if err := flag.Set("rapid.checks", strconv.Itoa(o.checks)); err != nil {
			t.Fatal(err)
		}
		testModel(t, open(t))
	})
}

// sentence is one of the contract, and the test that shows it.
type sentence struct {
	says string
	test func(desk)
}
