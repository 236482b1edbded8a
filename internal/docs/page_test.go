// Package docs holds the documents to each other and to the code.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

// pages returns all Markdown of the repository, by its path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, place := range []string{"*.md", "docs", "clients", "examples"} {
		found, err := filepath.Glob(filepath.Join(root, place))
		if err != nil || len(found) == 0 {
			t.Fatalf("Glob(%s) = %v, %v, want files", place, found, err)
		}
		for _, top := range found {
			readPages(t, top, all)
		}
	}
	return all
}

func readPages(t *testing.T, top string, all map[string]string) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() && entry.Name() == "node_modules" {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		relative, _ := filepath.Rel(root, path) // below root, so that it cannot fail
		all[filepath.ToSlash(relative)] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// page returns one page.
func page(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fence finds fenced blocks: the language, what stands behind it, the text.
var fence = regexp.MustCompile("(?ms)^ *```(\\S*)([^\n]*)\n(.*?)^ *```$")

// prose returns a page without its fenced blocks.
func prose(text string) string { return fence.ReplaceAllString(text, "") }

// sources returns the Go code of folders, without tests.
func sources(t *testing.T, folders ...string) string {
	t.Helper()
	var all strings.Builder
	for _, folder := range folders {
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(folder), "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("Glob(%s) = %v, %v, want Go files", folder, files, err)
		}
		for _, file := range files {
			if !strings.HasSuffix(file, "_test.go") {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				all.Write(text)
			}
		}
	}
	return all.String()
}
