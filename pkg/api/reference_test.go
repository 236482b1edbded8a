package api

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The reference has a section for each code, with its status, its cause and its
// cure, and for no other.
func TestReferenceHasEveryCode(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "reference", "errors.md"))
	if err != nil {
		t.Fatal(err)
	}
	sections := strings.Split(string(text), "\n## ")[1:]
	if len(sections) != len(codes) {
		t.Errorf("errors.md has %d sections, want %d", len(sections), len(codes))
	}
	form := regexp.MustCompile(`^([a-z_]+)\n\n(\d{3})\. [A-Z][\s\S]*\n\n\*\*Cure:\*\* \S`)
	for _, section := range sections {
		found := form.FindStringSubmatch(section)
		if found == nil {
			t.Errorf("errors.md: section %.30q: want a code, its status, its cause and its cure", section)
			continue
		}
		known, ok := codes[Code(found[1])]
		if !ok || strconv.Itoa(known.status) != found[2] {
			t.Errorf("errors.md: %s has the status %s, want %d", found[1], found[2], known.status)
		}
	}
}
