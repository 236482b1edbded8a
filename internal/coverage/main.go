// Command coverage measures what the descriptor language can say: it runs the
// token requests of many vendors, each written from the vendor's document,
// against a server that accepts exactly these. It prints a line for each, and
// writes docs/providers/coverage.md.
//
//	shapes/       what vendors' documents say, in their words
//	expect/       the same for the program, where a shape has words
//	credentials/  a credential for each, with a descriptor
//	failures.json shapes that cannot be said, with the reason
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

const page = "docs/providers/coverage.md"

func main() {
	wrong, err := measure(os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
	if wrong > 0 {
		fmt.Fprintf(os.Stderr, "coverage: %d shapes are not as internal/coverage/failures.json lists them\n", wrong)
		os.Exit(1)
	}
}

// measure runs all shapes, and returns how many are not as they are listed.
func measure(w io.Writer) (wrong int, err error) {
	all, err := load()
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		outcome, ok := outcomeOf(context.Background(), e)
		if !ok {
			wrong++
		}
		fmt.Fprintf(w, "%s  %s: %s: %s\n", e.ID, e.Vendor, e.Title, outcome)
	}
	text := report(all)
	fmt.Fprintf(w, "\n%s\n", figures(all))
	if wrong > 0 {
		return wrong, nil
	}
	return 0, os.WriteFile(page, []byte(text), 0o644)
}

// outcomeOf runs a shape, and reports whether it is as it is listed.
func outcomeOf(ctx context.Context, e entry) (outcome string, ok bool) {
	problems := try(ctx, e)
	switch {
	case problems == nil && e.failure == "":
		return "works", true
	case problems == nil:
		return "WORKS, though it is listed as failing: " + e.failure, false
	case e.failure == "":
		return "FAILS: " + strings.Join(problems, "\n      "), false
	}
	return "cannot be said: " + e.failure, true
}
