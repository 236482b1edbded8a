package descriptor

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// Every example of a descriptor in the reference is one.
func TestReferenceExamplesParse(t *testing.T) {
	text, err := os.ReadFile("../../docs/reference/descriptor.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, block := range regexp.MustCompile("(?s)```json\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		if !strings.Contains(block[1], `"token":`) {
			continue
		}
		found++
		if _, err := Parse([]byte(block[1])); err != nil {
			t.Errorf("Parse(%s) = %v, want a descriptor", block[1], err)
		}
	}
	if found == 0 {
		t.Error("the reference has no example, want some")
	}
	for _, row := range regexp.MustCompile("`({[^`]*})` \\| `").FindAllStringSubmatch(string(text), -1) {
		if _, err := Parse([]byte(`{"use":` + row[1] + `}`)); err != nil {
			t.Errorf("Parse(use: %s) = %v, want a descriptor", row[1], err)
		}
	}
}
