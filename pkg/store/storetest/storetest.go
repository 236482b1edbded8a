// Package storetest is the contract of package store as tests. Each backend
// calls [Run] from its own tests.
package storetest

import (
	"flag"
	"strconv"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/store"
)

// Option is an option of Run.
type Option func(*options)

type options struct {
	checks int
	rounds int
}

// Checks sets how many random sequences of about 30 calls are compared with the
// model. The default is 30.
func Checks(n int) Option { return func(o *options) { o.checks = n } }

// Rounds sets how often 64 goroutines compete for one lease. The default is 20.
func Rounds(n int) Option { return func(o *options) { o.rounds = n } }

// Run checks that a store keeps its contract. It calls open once for each
// subtest; open returns an empty store and cleans up with t.Cleanup. Time is
// real: leases of some milliseconds are left to end, on slow backends too.
func Run(t *testing.T, open func(t *testing.T) store.Store, with ...Option) {
	o := options{checks: 30, rounds: 20}
	for _, set := range with {
		set(&o)
	}
	for _, group := range [][]sentence{reading, writing, leasing, listing, counting, racing} {
		for _, s := range group {
			t.Run(s.says, func(t *testing.T) { s.test(harness{t, open(t)}) })
		}
	}
	t.Run("of 64 that acquire at once exactly one wins", func(t *testing.T) { testRace(harness{t, open(t)}, o.rounds) })
	t.Run("behaves as the model in random sequences", func(t *testing.T) {
		restore := flag.Lookup("rapid.checks").Value.String()
		t.Cleanup(func() { _ = flag.Set("rapid.checks", restore) })
		if err := flag.Set("rapid.checks", strconv.Itoa(o.checks)); err != nil {
			t.Fatal(err)
		}
		testModel(t, open(t))
	})
}
