// Command schema writes the tables of fields in docs/reference/descriptor.md
// from the JSON schema of descriptors, which defines them: their types, limits,
// defaults and meaning. Its tests hold the parser to the schema.
package main

import (
	"fmt"
	"os"
)

const (
	schemaFile    = "pkg/descriptor/descriptor.schema.json"
	referenceFile = "docs/reference/descriptor.md"
)

func main() {
	if err := write(schemaFile, referenceFile); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

// write writes the tables of a page anew.
func write(schemaFile, pageFile string) error {
	root, err := Read(schemaFile)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(pageFile)
	if err != nil {
		return err
	}
	text, err := withTables(root, string(page))
	if err != nil {
		return err
	}
	return os.WriteFile(pageFile, []byte(text), 0o644)
}
