package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPagesAreWrittenOut(t *testing.T) {
	const folder = "../../docs/providers"
	want, err := pages()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range want {
		got, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil || string(got) != text {
			t.Errorf("docs/providers/%s is stale: run go run ./internal/providers", name)
		}
	}
	// coveragePage stands beside them.
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if n := len(want) + 1; err != nil || len(files) != n {
		t.Errorf("docs/providers has %d pages, %v, want %d: run go run ./internal/providers", len(files), err, n)
	}
}
