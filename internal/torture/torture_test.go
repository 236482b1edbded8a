// Package torture_test runs tokenvend, golang.org/x/oauth2 and, with the build
// tag testall, OAuth libraries of other languages against the same faulty token
// endpoints. Broken promises of tokenvend fail the test. The results of the
// others are only reported.
package torture_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

const pageFile = "../../docs/explanation/torture.md"

var write = flag.Bool("write", false, "measure every cell and write "+pageFile)

func TestMain(m *testing.M) {
	// Callers mostly wait. A command line may still set another number.
	if err := flag.Set("test.parallel", "16"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestTorture(t *testing.T) {
	trust := newAuthority(t)
	table := newTable(contenders(t, trust))
	t.Run("rows", func(t *testing.T) {
		for i, r := range table.rows {
			t.Run(r.what, func(t *testing.T) {
				t.Parallel()
				for j, c := range table.contenders {
					if c.measures(r) {
						t.Run(c.name, func(t *testing.T) {
							t.Parallel()
							table.cells[i][j] = c.measure(t, newScene(t, trust, r, c.routes))
						})
					}
				}
			})
		}
	})
	switch {
	case t.Failed():
	case *write:
		testworld.Must(t, os.WriteFile(pageFile, []byte(table.page(t)), 0o644))
	default:
		table.compare(t)
	}
}

// measures reports whether this run measures the row.
func (c contender) measures(r row) bool {
	return (c.lacks == nil || !c.lacks(r)) && (!c.few || *write || sampled(r))
}

func (c contender) measure(t *testing.T, s *scene) *finding {
	t.Helper()
	f := find(s, s.run(c.start(s)))
	if f.calls == 0 {
		t.Errorf("%d calls of %s, want some", f.calls, c.name)
	}
	if s.log != nil {
		s.check(f)
	}
	return &f
}

// check holds tokenvend to its promises.
func (s *scene) check(f finding) {
	s.t.Helper()
	broken := f.broken(s.row)
	log := s.log.String()
	for what, secret := range map[string]bool{
		"a token": strings.Contains(log, rightToken), "a part of a body": strings.Contains(log, canary),
		"the client secret": showsSecret(log),
	} {
		if secret {
			broken = append(broken, "the log does not hold "+what)
		}
	}
	for _, promise := range broken {
		s.t.Errorf("tokenvend with %q = %s, want: %s", s.row.what, f, promise)
	}
}

func (s *scene) run(start func() instance) []call {
	if s.row.drill != nil {
		return s.row.drill(s, start)
	}
	return threeTimes(s, start)
}
