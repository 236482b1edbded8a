// Style reports where the repository's text breaks its rules: comments wider
// than 80 columns, code wider than 120, and identifiers and phrases that a
// plainer term replaces.
package main

import (
	"fmt"
	"os"
)

func main() {
	found, err := check(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, "style:", err)
		os.Exit(1)
	}
	for _, f := range found {
		fmt.Println(f)
	}
	if len(found) > 0 {
		fmt.Fprintf(os.Stderr, "style: %d findings\n", len(found))
		os.Exit(1)
	}
}
