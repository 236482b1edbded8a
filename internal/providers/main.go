// Command providers writes docs/providers from the catalogue: a page
// for each provider, and an index. A test fails where they are stale.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	pages, err := pages()
	if err == nil {
		err = write("docs/providers", pages)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "providers:", err)
		os.Exit(1)
	}
	fmt.Printf("docs/providers: %d pages\n", len(pages))
}

// coveragePage is the page that internal/coverage writes.
const coveragePage = "coverage.md"

// write replaces the pages of a folder.
func write(folder string, pages map[string]string) error {
	old, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if _, stays := pages[filepath.Base(file)]; !stays && filepath.Base(file) != coveragePage {
			if err := os.Remove(file); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
