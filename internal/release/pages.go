package main

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

// repositoryURL is where links lead to files that no archive has, below a
// version.
const repositoryURL = "https://github.com/tokenvend/tokenvend/blob/"

// pages returns the repository's documents for an archive. A link from one to a
// file that is not among them becomes the URL of that file in the repository.
func (r *release) pages() (files []file, err error) {
	names := []string{"CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"}
	err = fs.WalkDir(os.DirFS(r.source), "docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, name)
		}
		return err
	})
	here := map[string]bool{}
	for _, name := range names {
		here[name] = true
	}
	for _, name := range names {
		content, readErr := os.ReadFile(filepath.Join(r.source, filepath.FromSlash(name)))
		err = errors.Join(err, readErr)
		if path.Ext(name) == ".md" {
			content = []byte(relink(string(content), name, here, repositoryURL+r.version+"/"))
		}
		files = append(files, file{name: name, content: content})
	}
	return files, err
}

var link = regexp.MustCompile(`\]\([^)\s]+\)`)

// relink replaces the links of a page to files that are not here.
func relink(text, page string, here map[string]bool, url string) string {
	return link.ReplaceAllStringFunc(text, func(found string) string {
		target := strings.TrimSuffix(strings.TrimPrefix(found, "]("), ")")
		name, anchor, _ := strings.Cut(target, "#")
		at := path.Join(path.Dir(page), name)
		if name == "" || strings.Contains(target, ":") || here[at] {
			return found
		}
		if anchor != "" {
			at += "#" + anchor
		}
		return "](" + url + at + ")"
	})
}
