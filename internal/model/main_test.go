package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	guardRow     = regexp.MustCompile("(?m)^\\| `([A-Z_]+)` \\| (.*) \\|.*\\|$")
	guardingFunc = regexp.MustCompile("`([a-z/]+)\\.(?:([A-Za-z]+)\\.)?([A-Za-z]+)`")
)

// The page names the function of each guard, and that function exists.
func TestPageNamesTheFunctionOfEachGuard(t *testing.T) {
	model, err := os.ReadFile("tokenvend.pml")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "explanation", "model.md"))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, row := range guardRow.FindAllStringSubmatch(string(page), -1) {
		named = append(named, row[1])
		functions := guardingFunc.FindAllStringSubmatch(row[2], -1)
		if len(functions) == 0 {
			t.Errorf("the row of %s names no function: %s", row[1], row[2])
		}
		for _, f := range functions {
			if !declares(t, filepath.Join("..", "..", "pkg", f[1]), f[2], f[3]) {
				t.Errorf("the row of %s names %s, want a function that exists", row[1], f[0])
			}
		}
	}
	guards := guardsOf(string(model))
	slices.Sort(guards)
	slices.Sort(named)
	if !slices.Equal(named, guards) || len(guards) == 0 {
		t.Errorf("model.md names the guards %v, want those of the model, %v", named, guards)
	}
}

// declares reports whether a package has a function, or a method of a type.
func declares(t *testing.T, folder, receiver, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(`)
	if receiver != "" {
		declared = regexp.MustCompile(`(?m)^func \(\w+ \*?` + receiver + `\) ` + regexp.QuoteMeta(name) + `\(`)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		return err == nil && !strings.HasSuffix(file, "_test.go") && declared.Match(text)
	})
}

const (
	clean = "State-vector 68 byte, depth reached 86, errors: 0\n    33132 states, stored\n"
	wrong = "pan:1: assertion violated  !(leased) (at depth 31)\n" +
		"State-vector 68 byte, depth reached 55, errors: 1\n      287 states, stored\n"
	stuck = "invalid end state"
)

func TestReadOfSpinsOutput(t *testing.T) {
	for name, c := range map[string]struct {
		output string
		broken string
		ok     bool
	}{
		"every state":            {clean, "", true},
		"a broken promise":       {"Warning: Search not completed\n" + wrong, "!(leased)", true},
		"a process that waits":   {strings.Replace(wrong, "assertion violated  !(leased)", stuck, 1), stuck, true},
		"not every state":        {"Warning: Search not completed\n" + clean, "", false},
		"a search that is short": {"error: max search depth too small\n" + clean, "", false},
		"an error without words": {strings.Replace(clean, "errors: 0", "errors: 1", 1), "", false},
		"nothing":                {"", "", false},
	} {
		if r, err := read(c.output); r.broken != c.broken || (err == nil) != c.ok {
			t.Errorf("read(%s) = %+v, %v, want %q, and to succeed: %t", name, r, err, c.broken, c.ok)
		}
	}
}
