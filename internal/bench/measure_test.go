//go:build testall

package bench_test

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// sample is one measurement of one contender.
type sample struct {
	took, cpu time.Duration
	resident  int64 // bytes, at the most
}

// series is what was measured of one contender, in the order of time.
type series []sample

// beside is the median of the ratios of neighbours: ours to theirs.
func (s series) beside(theirs series, of func(sample) float64) float64 {
	ratios := make([]float64, min(len(s), len(theirs)))
	for i := range ratios {
		ratios[i] = of(s[i]) / of(theirs[i])
	}
	return median(ratios)
}

func (s series) median(of func(sample) float64) float64 {
	values := make([]float64, len(s))
	for i := range s {
		values[i] = of(s[i])
	}
	return median(values)
}

func took(s sample) float64     { return float64(s.took) }
func cpu(s sample) float64      { return float64(s.cpu) }
func resident(s sample) float64 { return float64(s.resident) }

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// quantile is the value below which that share of the values lies.
func quantile[T cmp.Ordered](values []T, share float64) T {
	if len(values) == 0 {
		return *new(T)
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(share*float64(len(sorted))), len(sorted)-1)]
}

func inMillis(ns float64) string { return strconv.FormatFloat(ns/1e6, 'f', 3, 64) + " ms" }
func inMicros(ns float64) string { return strconv.FormatFloat(ns/1e3, 'f', 1, 64) + " µs" }
func inMB(b float64) string      { return strconv.FormatFloat(b/1e6, 'f', 1, 64) + " MB" }
func times(ratio float64) string { return strconv.FormatFloat(ratio, 'f', 2, 64) + " ×" }

// held says how a figure stands to its bar: one that must not be above it.
func held(figure, bar float64) string {
	if figure <= bar {
		return "met"
	}
	return "**not met**"
}

// cpuOf is all the processor time that a living process has used.
// (clock_getcpuclockid(3): the clock's number is made of the process's.)
func cpuOf(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	const scheduled = 2 // CPUCLOCK_SCHED
	var at syscall.Timespec
	_, _, errno := syscall.Syscall(
		syscall.SYS_CLOCK_GETTIME, uintptr(^pid<<3|scheduled), uintptr(unsafe.Pointer(&at)), 0,
	)
	if errno != 0 {
		tb.Fatal("the processor time of a process: ", errno)
	}
	return time.Duration(at.Nano())
}

// residentOf is the most memory that a living process has held at once: its
// high-water mark. What the kernel reports once it is over may be its parent's.
func residentOf(tb testing.TB, pid int) int64 {
	tb.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	kB, err := strconv.ParseInt(strings.Fields(string(rest))[0], 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	return kB << 10
}

func TestRatiosAreOfNeighbours(t *testing.T) {
	ours := series{{took: 2}, {took: 20}, {took: 300}}
	theirs := series{{took: 1}, {took: 10}, {took: 100}}
	if got := ours.beside(theirs, took); got != 2 {
		t.Errorf("%v, want 2", got)
	}
	if got := quantile([]int{5, 1, 4, 2, 3}, 0.99); got != 5 {
		t.Errorf("%v, want 5", got)
	}
	if held(1.3, 1.3) != "met" || held(1.31, 1.3) == "met" {
		t.Error("a bar is held by what is not above it")
	}
}
