// Measure writes the table of packages into docs/explanation/architecture.md:
// what a reader has to take in. With -print it prints the table instead.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strings"
)

const page = "docs/explanation/architecture.md"

// The table stands between these two lines of the page.
const (
	begin = "<!-- measured: go run ./internal/measure -->\n"
	end   = "<!-- end of measured -->\n"
)

func main() {
	onlyPrint := flag.Bool("print", false, "print the table and leave the page as it is")
	flag.Parse()
	if err := run(*onlyPrint); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(onlyPrint bool) error {
	packages, err := load(".")
	if err != nil {
		return err
	}
	text := table(packages)
	if onlyPrint {
		fmt.Print(text)
		return nil
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(old, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return fmt.Errorf("%s: expected the lines %q and %q", page, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(page, bytes.Join([][]byte{before, []byte(begin + "\n" + text + "\n" + end), after}, nil), 0o600)
}

// table formats the measures.
func table(packages []measures) string {
	var b strings.Builder
	b.WriteString("| package | files | lines | functions: median, p90, max | widest comment | references up |\n")
	b.WriteString("|---|---|---|---|---|---|\n")
	var all measures
	var large []string
	for _, p := range packages {
		writeRow(&b, "`"+p.name+"`", p)
		all.add(p)
		if p.lines > largePackage {
			large = append(large, fmt.Sprintf("`%s` (%d)", p.name, p.lines))
		}
	}
	writeRow(&b, "all", all)
	if len(large) > 0 {
		fmt.Fprintf(&b, "\nPackages of more than %d lines: %s.\n", largePackage, strings.Join(large, ", "))
	}
	return b.String()
}

func writeRow(b *strings.Builder, name string, p measures) {
	median, p90, most := quantiles(p.functions)
	fmt.Fprintf(
		b,
		"| %s | %d | %d | %d, %d, %d | %d | %d of %d |\n",
		name,
		p.files,
		p.lines,
		median,
		p90,
		most,
		p.widest,
		p.up,
		p.references,
	)
}
