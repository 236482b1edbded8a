// Measure writes the table of packages into docs/explanation/architecture.md:
// what a reader has to take in. With -print it prints the table instead; with
// -up, each reference up. It fails where a reference up has no reason.
package main

import (
	"bytes"
	"errors"
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
	onlyUp := flag.Bool("up", false, "print each reference up, with the names that are used, and leave the page")
	flag.Parse()
	if err := run(*onlyPrint, *onlyUp); err != nil {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

func run(onlyPrint, onlyUp bool) error {
	packages, err := load(".")
	if err != nil {
		return err
	}
	if onlyUp {
		printUp(packages)
		return nil
	}
	if problems := checkReasons(packages); len(problems) > 0 {
		return errors.New(strings.Join(problems, "\n"))
	}
	if onlyPrint {
		fmt.Print(table(packages))
		return nil
	}
	return write(table(packages))
}

// write puts the measures into the page.
func write(text string) error {
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
	fmt.Fprintf(&b, "\nThese references up stay:\n\n%s", reasonList())
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
		count(p.up),
		p.references,
	)
}

// count returns how many names are used by references.
func count(references []upwardReference) (n int) {
	for _, r := range references {
		n += len(r.names)
	}
	return n
}

// printUp prints each reference up.
func printUp(packages []measures) {
	for _, p := range packages {
		for _, r := range p.up {
			fmt.Printf("%s: %s -> %s: %s\n", p.name, r.from, r.to, strings.Join(r.names, ", "))
		}
	}
}
