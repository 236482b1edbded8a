package structure_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that the pages name exists, and every test with a number in its
// name has a row on the page of promises.
func TestThePageOfPromisesIsTrue(t *testing.T) {
	there := declared(t)
	for _, page := range []string{"promises.md", "providers.md", "security.md"} {
		for _, name := range regexp.MustCompile(
			`\b(?:Test|Fuzz)[A-Z][A-Za-z0-9_]+`,
		).FindAllString(readPage(t, page), -1) {
			if !there[name] {
				t.Errorf("docs/explanation/%s names %s, and there is no such test", page, name)
			}
		}
	}
	rows := map[string]bool{}
	for _, found := range regexp.MustCompile(`(?m)^\| ([0-9]+) \|`).FindAllStringSubmatch(
		readPage(t, "promises.md"), -1,
	) {
		rows[found[1]] = true
	}
	numbered := regexp.MustCompile(`^TestFault0?([0-9]+)_`)
	for name := range there {
		if found := numbered.FindStringSubmatch(name); found != nil && !rows[found[1]] {
			t.Errorf("%s shows row %s, which docs/explanation/promises.md does not have", name, found[1])
		}
	}
}

// readPage returns a page of the docs.
func readPage(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "docs", "explanation", page))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// declared returns the tests and fuzz targets of the module.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	eachFile(t, func(file string, source []byte) {
		if strings.HasSuffix(file, "_test.go") {
			for _, found := range regexp.MustCompile(
				`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`,
			).FindAllSubmatch(source, -1) {
				there[string(found[1])] = true
			}
		}
	})
	return there
}
