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
	files, err := filepath.Glob(filepath.Join(folder, "*.md"))
	if err != nil || len(files) != len(want) {
		t.Errorf("docs/providers has %d pages, %v, want %d: run go run ./internal/providers", len(files), err, len(want))
	}
}
