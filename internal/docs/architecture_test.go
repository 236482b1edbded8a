package docs

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// code finds what stands in backquotes.
var code = regexp.MustCompile("`([^`\n]+)`")

// The page of the architecture names files and what is in them.
func TestArchitectureNamesWhatExists(t *testing.T) {
	const file = "docs/explanation/architecture.md"
	for line := range strings.Lines(prose(page(t, file))) {
		var folders, names []string
		for _, found := range code.FindAllStringSubmatch(line, -1) {
			switch word := found[1]; {
			case strings.HasSuffix(word, ".go"):
				folder, ok := folderOf(word)
				if !ok {
					t.Errorf("%s names %s, want a file that exists", file, word)
					continue
				}
				folders = append(folders, folder)
			case identifier.MatchString(word):
				names = append(names, word)
			}
		}
		if !strings.HasPrefix(line, "| ") || len(folders) == 0 {
			continue
		}
		text := sources(t, folders...)
		for _, name := range names {
			if !isDeclared(name, text) && !isPackage(name) {
				t.Errorf("%s names %s, want a name in %s", file, name, strings.Join(folders, ", "))
			}
		}
	}
}

// identifier matches a Go identifier, or two with a dot between them.
var identifier = regexp.MustCompile(`^[A-Za-z]\w*(\.[A-Za-z]\w*)?$`)

// folderOf returns the folder of a file, which the page names without what all
// packages have before it.
func folderOf(file string) (folder string, ok bool) {
	for _, above := range []string{"", "pkg", "cmd/tokenvend/internal"} {
		at := path.Join(above, file)
		if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(at))); err == nil {
			return path.Dir(at), true
		}
	}
	return "", false
}

// isDeclared reports whether a text of Go declares a name. Of two with a dot
// between them, it is the second.
func isDeclared(name, text string) bool {
	_, last, qualified := strings.Cut(name, ".")
	if !qualified {
		last = name
	}
	declaration := regexp.MustCompile(`(?m)^(?:\t|func (?:\([^)]*\) )?|type |var |const )` + last + `\b`)
	return declaration.MatchString(text)
}

// isPackage reports whether a name is that of a package, or begins with one.
func isPackage(name string) bool {
	first, _, _ := strings.Cut(name, ".")
	_, err := os.Stat(filepath.Join(root, "pkg", first))
	return err == nil
}
