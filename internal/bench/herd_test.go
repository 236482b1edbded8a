//go:build testall

package bench_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

const callersEach = 50 // concurrent callers of a process

// herd counts the requests to the provider when many processes need one token.
func herd(b *testing.B) *section {
	s := newStage(b, testbed.Dynalite(b))
	page := &section{
		title: "Herd",
		text: fmt.Sprintf("What reaches the provider where processes of vend with %d callers each want the same token at once: one that nobody has yet, of a provider that takes 300 ms, and one of a provider that answers 503, for which each caller asks three times. On their own, each process would ask once, and in an outage each caller each time "+
			"(docs/explanation/torture.md has that of golang.org/x/oauth2).", callersEach),
		head: []string{
			"processes × callers", "cold: requests", "all answered within", "on their own", "outage: requests",
			"refused within", "on their own",
		},
	}
	all := []int{1, 2, 4, 8, 16}
	if *brief {
		all = []int{1, 4}
	}
	for _, processes := range all {
		callers := processes * callersEach
		cold, coldTook := s.stampede(fmt.Sprintf("cold-%d", processes), processes, 1, simulator.Fault{
			Delay: 300 * time.Millisecond,
		}, true)
		outage, outageTook := s.stampede(
			fmt.Sprintf("outage-%d", processes), processes, 3, simulator.Fault{Status: 503}, false,
		)
		page.add(
			fmt.Sprintf("%d × %d", processes, callersEach), fmt.Sprint(cold), inMillis(float64(coldTook)),
			fmt.Sprint(processes), fmt.Sprint(outage), inMillis(float64(outageTook)), fmt.Sprint(3*callers),
		)
	}
	return page
}

// stampede has all callers ask so many times, and returns how many requests the
// provider saw.
func (s *stage) stampede(
	credential string, processes, times int, fault simulator.Fault, answered bool,
) (requests int, took time.Duration) {
	s.b.Helper()
	s.put(credential, nil)
	if err := s.sim.SetFault("miden", fault); err != nil {
		s.b.Fatal(err)
	}
	r := testbed.NewRuntime(29 * time.Second)
	var started []*testbed.Bootstrap
	for range processes {
		started = append(
			started,
			r.Start(
				s.b, program(s.b, "vend", ""),
				append(lines(s.clear), fmt.Sprintf("AWS_LAMBDA_MAX_CONCURRENCY=%d", callersEach))...,
			),
		)
	}
	before, began := s.sim.Stats().Providers["miden"].TokenRequests, time.Now()
	var all sync.WaitGroup
	var wrong atomic.Int64
	for range processes * callersEach {
		all.Go(func() {
			for range times {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
				_, refused, err := r.Invoke(ctx, function+":admin", fmt.Appendf(nil, `{"credential":%q}`, credential))
				cancel()
				if err != nil || (refused == nil) != answered {
					wrong.Add(1)
				}
			}
		})
	}
	all.Wait()
	took = time.Since(began)
	for _, p := range started {
		p.Kill()
	}
	if n := wrong.Load(); n > 0 {
		s.b.Errorf("%s: %d callers were answered otherwise than they should", credential, n)
	}
	return s.sim.Stats().Providers["miden"].TokenRequests - before, took
}
