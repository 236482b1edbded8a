package pkg_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that a page names is there, and every test with a number in its name is on the page of promises.
func TestThePageOfPromisesIsTrue(t *testing.T) {
	page := readPage(t, "promises.md")
	there := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	eachFile(t, func(file string, source []byte) {
		if strings.HasSuffix(file, "_test.go") {
			for _, found := range declared.FindAllSubmatch(source, -1) {
				there[string(found[1])] = true
			}
		}
	})
	for _, name := range []string{"promises.md", "providers.md"} {
		for _, test := range regexp.MustCompile(`Test[A-Z][A-Za-z0-9_]+`).FindAllString(readPage(t, name), -1) {
			if !there[test] {
				t.Errorf("docs/%s names %s, and there is no such test", name, test)
			}
		}
	}
	rows := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^\| ([0-9]+) \|`).FindAllStringSubmatch(page, -1) {
		rows[found[1]] = true
	}
	numbered := regexp.MustCompile(`^TestFault0?([0-9]+)_`)
	unfinished := map[string]string{ // rows whose tests show a part of what they promise
		"50": "a search of all that is written, through every fault",
	}
	for name := range there {
		if found := numbered.FindStringSubmatch(name); found != nil && !rows[found[1]] && unfinished[found[1]] == "" {
			t.Errorf("%s shows row %s, which docs/promises.md does not have", name, found[1])
		}
	}
}

func readPage(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}
