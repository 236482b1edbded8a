//go:build testall

// Package bench_test measures tokenvend beside baselines in the same run, and
// writes docs/explanation/performance.md. Nothing is held to a time: what has
// to hold whatever the machine is counted, in the tests of the packages.
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
	{"openbao", openBao},
	{"rotate", rotation},
	{"credentials", credentials},
	{"herd", herd},
	{"agent", agent},
}

const heading = `# Performance

Written by

` + "```sh needs=quiet-machine" + `
make bench
` + "```" + `

on %s, %d processors, %s, in %v. Every figure stands beside a baseline that was measured in the same run, in turns with it: the ratio is what travels from one machine to another, the milliseconds are this machine's. A ratio is the median of the ratios of neighbours in time, and not the ratio of the medians. CPU is the process's own, user and system.
`

// remarks is what a reader should know of the figures.
const remarks = `
## What the figures say, and what they do not

Ratios hold where both sides are measured alike and the machine does nothing else; on one that is shared, the longer side gets longer.

A vend from the store reads one row where the least program that remembers nothing reads two: half the read units, 0.5 in place of 1. Beside the least program that makes the same call, it judges the event and the caller, opens the sealed row and writes an audit line with its metrics; the least program writes nothing. Seven runs on the machine of this page gave 1.10 to 1.16 times. When it was profiled, about a quarter of what is above the least program was the line's way into the pipe, about a quarter the line itself and the answer, and the rest decoding, opening and remembering the row and collecting the garbage of all that.

Ratios of one program differ from run to run. In turns on one machine, five runs each, a vend from memory took 1.23 to 1.35 times hello-world's p50 (mean 1.30) before the packages were divided, and 1.25 to 1.40 times (mean 1.33) after that; one from the store, beside the same call, 1.14 to 1.23 and 1.14 to 1.20 times.

One machine: callers, server and log share two processors, and Vault's figure is of another day, so what is measured against it swings with the machine: 2.7 to 6.4 times at 16 callers, in runs of several days on machines like that of this page, and 4.2 to 10.9 at 64. When it was profiled, net/http and the kernel had 56 % of a call's processor time, for reading and answering; the audit line 9 %, what decides and finds the token 9 %, the signature 9 %, the answer's JSON and header 8 %, the read and write time-outs of the connection 6 %. Taken away since the table's first figures: the look at each character of the log for what could control a terminal (13 %), and a timer for each call (5 %). In turns on a busy machine, the program before that had 0.56 of the bare server's rate at 16 callers, and the one after it 0.69. Then the signature's date and comparison, and the look at names and ARNs, took less: in 25 turns on a quiet machine, 0.67 after it and 0.65 before. The audit line stays.

A pass of the function is bound by the emulator: DynamoDB Local takes some 20 ms of the same two processors for each renewal, and AWS's table takes none. So it is measured with fewer due, and what 5,000 take is worked out from the processor's time.
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
	text := fmt.Sprintf(
		heading, processor(), runtime.NumCPU(), runtime.Version(), time.Since(began).Round(time.Second),
	) + "\n" + strings.Join(parts, "\n")
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
	return "\n## The hot path by itself\n\nGo benchmarks, this run beside the one that was recorded before it: the time is the machine's and the day's, the allocations are the program's.\n\n```text\n" + string(compared) + "```\n"
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
