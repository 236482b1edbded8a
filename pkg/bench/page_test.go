// Package bench_test measures tokenvend beside baselines in the same run, and writes docs/performance.md. Nothing is held to a time: what has to hold whatever the machine is counted, in the tests of the packages.
//
// It is a benchmark, so that `go test` passes it by: `make bench` runs it.
package bench_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	page  = flag.String("page", "", "the file that the measurements are written to; \"\": none, they are only printed")
	hot   = flag.String("hot", "", "a file with what benchstat says of the hot path; \"\": none")
	only  = flag.String("only", "", "the one section to measure; \"\": all")
	brief = flag.Bool("brief", false, "measure little, for a look")
)

// section is a part of the page.
type section struct {
	title, text string
	head        []string
	rows        [][]string
}

// add puts a row into the section's table.
func (s *section) add(cells ...string) { s.rows = append(s.rows, cells) }

func (s *section) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n\n%s\n\n", s.title, s.text)
	for i, cells := range append([][]string{s.head}, s.rows...) {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
		}
	}
	return b.String()
}

// sections in the order of the page.
var sections = []struct {
	name    string
	measure func(*testing.B) *section
}{
	{"cold", cold},
	{"warm", warm},
	{"machine", machine},
	{"rotate", rotation},
	{"herd", herd},
}

const heading = `# Performance

Written by

` + "```" + `
make bench
` + "```" + `

on %s, %d processors, %s, in %v. Every figure stands beside a baseline that was measured in the same run, in turns with it: the ratio is what travels from one machine to another, the milliseconds are this machine's. A ratio is the median of the ratios of neighbours in time, and not the ratio of the medians. CPU is the process's own, user and system.
`

// remarks is what a reader should know of bars that are not met.
const remarks = `
## What a figure that is not met says

Ratios hold where both sides are measured alike and the machine does nothing else; one that is shared makes the longer side longer. A vend from the store does what the least program does, and besides it judges the event and the caller, opens the sealed row and writes an audit line with its metrics; the least program writes nothing.
One machine answers a signed request for a signature check's and a log line's worth of processor more than a bare server, and callers, server and log share two processors here. A pass of the function is bound by the emulator: DynamoDB Local takes several milliseconds of the same two processors for each call, and AWS's table takes none.
`

// BenchmarkPage is what `make bench` runs, once.
func BenchmarkPage(b *testing.B) {
	began := time.Now()
	var parts []string
	for _, s := range sections {
		if *only == "" || *only == s.name {
			parts = append(parts, s.measure(b).String())
			b.Logf("%s: %v so far", s.name, time.Since(began).Round(time.Second))
		}
	}
	text := fmt.Sprintf(heading, processor(), runtime.NumCPU(), runtime.Version(), time.Since(began).Round(time.Second)) + "\n" + strings.Join(parts, "\n")
	text += hotPath(b) + remarks
	fmt.Println(text)
	if *page == "" || *only != "" {
		return
	}
	if err := os.WriteFile(*page, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

// hotPath is what benchstat made of the hot path's own benchmarks.
func hotPath(b *testing.B) string {
	if *hot == "" {
		return ""
	}
	compared, err := os.ReadFile(*hot)
	if err != nil {
		b.Fatal(err)
	}
	return "\n## The hot path by itself\n\nGo benchmarks, this run beside the one that was recorded before it: the time is the machine's and the day's, the allocations are the program's.\n\n```\n" + string(compared) + "```\n"
}

// processor is what the machine calls its own.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo") // "": a machine that has no such file
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
