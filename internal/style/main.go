// Style reports where the repository's text breaks its rules: comments wider
// than 80 columns, code wider than 120, and identifiers and phrases that a
// plainer term replaces. With -prune it shortens the list of files that are
// not converted yet.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	prune := flag.Bool("prune", false, "remove converted files from "+pendingFile)
	all := flag.Bool("all", false, "also report what is found in files of "+pendingFile)
	flag.Parse()
	if err := run(".", *prune, *all); err != nil {
		fmt.Fprintln(os.Stderr, "style:", err)
		os.Exit(1)
	}
}

func run(root string, prune, all bool) error {
	found, err := check(root)
	if err != nil {
		return err
	}
	pending, err := readPending(root)
	if err != nil {
		return err
	}
	if prune {
		return writePending(root, pending, found)
	}
	bad := compare(found, pending)
	for _, line := range bad {
		fmt.Println(line)
	}
	if all {
		for _, f := range found {
			if pending[f.file] {
				fmt.Println(f)
			}
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("%d findings: change the text, or run with -prune", len(bad))
	}
	return nil
}
