package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Each entry's text has to stand once in its file. Whether the test fails
// without it is shown by running the program.
func TestEachFixStandsInItsFile(t *testing.T) {
	for _, r := range slices.Concat(reverts, further, latest, ofGrants()) {
		source, err := os.ReadFile(filepath.Join("..", "..", r.file))
		if err != nil {
			t.Errorf("%s, %s: %v", r.attack, r.fix, err)
			continue
		}
		if n := strings.Count(string(source), r.old); n != 1 {
			t.Errorf("%s, %s: the text stands %d times in %s, want once: %q", r.attack, r.fix, n, r.file, r.old)
		}
		if r.old == r.without {
			t.Errorf("%s, %s: nothing is taken back", r.attack, r.fix)
		}
	}
}
