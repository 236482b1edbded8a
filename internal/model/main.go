// Model checks tokenvend.pml, the model of one grant, with spin: it visits
// every state, and then shows for each guard that the model without it breaks a
// promise.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const source = "internal/model/tokenvend.pml"

func main() {
	processes := flag.Int("processes", 3, "how many processes renew")
	crashes := flag.Int("crashes", 2, "how many crashes there are at most, of all processes together")
	flag.Parse()
	if err := run(context.Background(), *processes, *crashes); err != nil {
		fmt.Fprintln(os.Stderr, "model:", err)
		os.Exit(1)
	}
}

// The bound at which the model without a guard breaks a promise.
const (
	fewProcesses = 2
	fewCrashes   = 1
)

func run(ctx context.Context, processes, crashes int) error {
	for _, program := range []string{"spin", "gcc"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("%s is missing: install it with apt-get install spin gcc libc6-dev, "+
				"or see https://spinroot.com", program)
		}
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return err
	}
	whole, err := check(ctx, "-O2", bound(processes, crashes)...)
	if err != nil {
		return err
	}
	fmt.Printf("%d processes, %d crashes: %s\n", processes, crashes, whole)
	if whole.broken != "" {
		return fmt.Errorf("the model breaks a promise: %s", whole.broken)
	}
	for _, guard := range guardsOf(string(text)) {
		without, err := check(ctx, "-O0", append(bound(fewProcesses, fewCrashes), "-DNO_"+guard)...)
		if err != nil {
			return err
		}
		fmt.Printf("without %s: %s\n", guard, without)
		if without.broken == "" {
			return fmt.Errorf("the model without the guard %s breaks no promise", guard)
		}
	}
	return nil
}

func bound(processes, crashes int) []string {
	return []string{"-DPROCESSES=" + strconv.Itoa(processes), "-DCRASHES=" + strconv.Itoa(crashes)}
}

var guardLine = regexp.MustCompile(`(?m)^#ifdef NO_([A-Z_]+)$`)

// guardsOf returns the guards of a model.
func guardsOf(text string) (guards []string) {
	for _, line := range guardLine.FindAllStringSubmatch(text, -1) {
		guards = append(guards, line[1])
	}
	return guards
}

// result is what spin found.
type result struct {
	states string        // how many it visited
	broken string        // the assertion that does not hold, or "invalid end state"; "": none
	took   time.Duration // without compiling
}

// String returns a line for people.
func (r result) String() string {
	found := "every promise holds"
	if r.broken != "" {
		found = "breaks " + r.broken
	}
	return fmt.Sprintf("%s (%s states, %v)", found, r.states, r.took.Round(time.Millisecond))
}

// check compiles the model with a level of optimisation and definitions of the
// preprocessor, and visits its states until a promise is broken.
func check(ctx context.Context, level string, defines ...string) (result, error) {
	dir, err := os.MkdirTemp("", "tokenvend-model-")
	if err != nil {
		return result{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	model, err := filepath.Abs(source)
	if err != nil {
		return result{}, err
	}
	if _, err := command(ctx, dir, "spin", append(append([]string{"-a"}, defines...), model)...); err != nil {
		return result{}, err
	}
	if _, err := command(ctx, dir, "gcc", level, "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"); err != nil {
		return result{}, err
	}
	began := time.Now()
	output, err := command(ctx, dir, filepath.Join(dir, "pan"), "-m500000", "-w24")
	if err != nil {
		return result{}, err
	}
	r, err := read(output)
	r.took = time.Since(began)
	return r, err
}

func command(ctx context.Context, dir, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	output, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", filepath.Base(program), err, output)
	}
	return string(output), nil
}

var (
	errorsLine = regexp.MustCompile(`(?m)^State-vector .*, errors: (\d+)$`)
	statesLine = regexp.MustCompile(`(?m)^ *([0-9.e+]+) states, stored`)
	brokenLine = regexp.MustCompile(`(?m)^pan:1: (?:assertion violated *)?(.*?) \(at depth \d+\)$`)
)

// read reads what pan prints. A search that found nothing and did not visit
// every state is an error.
func read(output string) (result, error) {
	errors, states := errorsLine.FindStringSubmatch(output), statesLine.FindStringSubmatch(output)
	if errors == nil || states == nil {
		return result{}, fmt.Errorf("spin's program prints no result:\n%s", output)
	}
	r := result{states: states[1]}
	if broken := brokenLine.FindStringSubmatch(output); broken != nil {
		r.broken = broken[1]
	}
	incomplete := strings.Contains(output, "Search not completed") ||
		strings.Contains(output, "max search depth too small")
	switch found := errors[1] != "0"; {
	case found != (r.broken != ""), !found && incomplete:
		return result{}, fmt.Errorf("the search was not completed:\n%s", output)
	}
	return r, nil
}
