package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// needs are the reasons why no test runs a block of commands.
var needs = []string{
	"aws",           // an AWS account
	"quiet-machine", // it measures
}

// Every block of commands names the test that runs it, with names and ports of
// its own, or why none does: ```sh test=TestName, ```sh needs=aws. Those of the
// tutorial are run by TestTutorial unless they say otherwise.
func TestCommandsAreRunOrMarked(t *testing.T) {
	tests := declared(t)
	for name, text := range pages(t) {
		for _, found := range fence.FindAllStringSubmatch(text, -1) {
			language, mark, block := found[1], strings.TrimSpace(found[2]), found[3]
			first, _, _ := strings.Cut(block, "\n")
			if !slices.Contains([]string{"sh", "bash", "console"}, language) {
				if language == "" {
					t.Errorf("%s: the block that begins with %q names no language, want sh, text or another", name, first)
				}
				continue
			}
			if name == "docs/tutorial.md" && !strings.Contains(mark, "needs=") {
				mark += " test=TestTutorial"
			}
			if problem := marked(mark, tests); problem != "" {
				t.Errorf("%s: the commands that begin with %q: %s", name, first, problem)
			}
		}
	}
}

// marked returns what is wrong with the mark of a block.
func marked(mark string, tests map[string]bool) string {
	var problem string
	known := false
	for word := range strings.FieldsSeq(mark) {
		kind, value, _ := strings.Cut(word, "=")
		switch {
		case kind == "terminal":
		case kind == "test" && tests[value], kind == "needs" && slices.Contains(needs, value):
			known = true
		default:
			problem = "there is no " + word
		}
	}
	if problem == "" && !known {
		problem = "want test=NAME of the test that runs them, or needs=REASON"
	}
	return problem
}

var declaration = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)

// declared returns the names of the module's tests.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, folder := range []string{"cmd", "examples", "functions", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range declaration.FindAllSubmatch(text, -1) {
				all[string(found[1])] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}
