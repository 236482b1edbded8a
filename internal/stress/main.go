// Stress runs tests repeatedly while all processors are busy, to find tests
// that fail occasionally. A test that takes less than a second runs 200 times
// and any other 10 times, within the given time.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	minutes := flag.Int("minutes", 60, "how long to run at most")
	flag.Parse()
	patterns := flag.Args()
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(*minutes)*time.Minute)
	defer cancel()
	if err := run(ctx, patterns); err != nil {
		fmt.Fprintln(os.Stderr, "stress:", err)
		os.Exit(1)
	}
}

const (
	quick      = time.Second // the bound for tests that run often
	quickTimes = 200
	slowTimes  = 10
	mostOutput = 8 << 10 // the end of a failure's output that is shown
)

func run(ctx context.Context, patterns []string) error {
	list, err := exec.CommandContext(ctx, "go", append([]string{
		"list", "-f", `{{if or .TestGoFiles .XTestGoFiles}}{{.Dir}}{{end}}`,
	}, patterns...)...).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	dir, err := os.MkdirTemp("", "tokenvend-stress-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	var all []pkg
	for folder := range strings.FieldsSeq(string(list)) {
		p := pkg{folder: folder, binary: filepath.Join(dir, strings.ReplaceAll(folder, "/", "_")+".test")}
		if err := p.measure(ctx); err != nil {
			return err
		}
		all = append(all, p)
	}
	burn(ctx)
	failed := 0
	for i, p := range all {
		failed += p.repeat(ctx, len(all)-i)
	}
	if failed > 0 {
		return fmt.Errorf("%d packages failed", failed)
	}
	return nil
}

// burn keeps every processor busy until ctx ends.
func burn(ctx context.Context) {
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for n := 0; ctx.Err() == nil; n++ {
				runtime.Gosched()
			}
		}()
	}
}

// pkg is a package whose tests are run.
type pkg struct {
	folder, binary string
	quick, slow    []string // the names of its tests
	took           time.Duration
}

var result = regexp.MustCompile(`(?m)^--- (PASS|FAIL): (\w+) \((\d+\.\d+)s\)`)

// measure builds the tests of a package and runs each once.
func (p *pkg) measure(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", p.binary, p.folder)
	if said, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("go test -c %s: %w\n%s", p.folder, err, said)
	}
	start := time.Now()
	said, err := p.test(ctx, "-test.v")
	if err != nil {
		return fmt.Errorf("%s fails without load: %w\n%s", p.folder, err, last(said))
	}
	p.took = time.Since(start)
	for _, found := range result.FindAllSubmatch(said, -1) {
		name := string(found[2])
		if seconds, _ := strconv.ParseFloat(string(found[3]), 64); seconds < quick.Seconds() {
			p.quick = append(p.quick, name)
		} else {
			p.slow = append(p.slow, name)
		}
	}
	return nil
}

func (p *pkg) test(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, p.binary, args...)
	cmd.Dir = p.folder
	cmd.WaitDelay = 10 * time.Second
	return cmd.CombinedOutput()
}

// repeat runs the tests of a package and returns 1 if one failed. It takes at
// most its share of the remaining time, given the number of packages left.
func (p *pkg) repeat(ctx context.Context, packages int) (failed int) {
	end, _ := ctx.Deadline()
	share := time.Until(end) / time.Duration(packages)
	ctx, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	for _, part := range []struct {
		names []string
		times int
	}{{p.quick, quickTimes}, {p.slow, slowTimes}} {
		done, err := p.times(ctx, part.names, part.times)
		if len(part.names) > 0 {
			fmt.Printf("%-60s %3d tests, %3d times", p.folder, len(part.names), done)
			fmt.Println(map[bool]string{true: "", false: "  FAILED"}[err == nil])
		}
		if err != nil {
			fmt.Println(err)
			failed = 1
		}
	}
	return failed
}

// times runs tests so many times, or until ctx ends.
func (p *pkg) times(ctx context.Context, names []string, times int) (done int, err error) {
	if len(names) == 0 {
		return 0, nil
	}
	only := "-test.run=^(" + strings.Join(names, "|") + ")$"
	for done = range times {
		said, err := p.test(ctx, only)
		if ctx.Err() != nil {
			return done, nil
		}
		if err != nil {
			return done, errors.New(last(said))
		}
	}
	return times, nil
}

// last returns the end of a test's output.
func last(said []byte) string {
	said = bytes.TrimSpace(said)
	return string(said[max(0, len(said)-mostOutput):])
}
