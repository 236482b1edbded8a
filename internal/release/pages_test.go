package main

import (
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// Every link in an archive leads to a file of the archive, or is a URL. A URL
// of the repository has a file there.
func TestLinksOfArchiveLeadSomewhere(t *testing.T) {
	r := release{source: filepath.Join("..", ".."), version: "v1.2.3"}
	pages, err := r.pages()
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]bool{}
	for _, p := range pages {
		here[p.name] = true
	}
	inside, repository := 0, 0
	for _, p := range pages {
		if path.Ext(p.name) != ".md" {
			continue
		}
		for _, found := range link.FindAllString(string(p.content), -1) {
			target, _, _ := strings.Cut(strings.Trim(found, "]()"), "#")
			switch name, own := strings.CutPrefix(target, repositoryURL+"v1.2.3/"); {
			case target == "":
			case own:
				repository++
				if matches, _ := filepath.Glob(filepath.Join(r.source, filepath.FromSlash(name))); matches == nil {
					t.Errorf("%s links %s, which the repository lacks", p.name, target)
				}
			case !strings.Contains(target, ":"):
				inside++
				if !here[path.Join(path.Dir(p.name), target)] {
					t.Errorf("%s links %s, which the archive lacks", p.name, target)
				}
			}
		}
	}
	if !here["README.md"] || !here["docs/README.md"] || inside < 100 || repository < 10 {
		t.Errorf("pages() has %d links inside and %d to the repository, want those of README.md and docs", inside,
			repository)
	}
}

func TestRelink(t *testing.T) {
	here := map[string]bool{"README.md": true, "docs/a.md": true}
	for text, want := range map[string]string{
		"[x](a.md)": "[x](a.md)", "[x](a.md#b)": "[x](a.md#b)", "[x](../README.md)": "[x](../README.md)",
		"[x](#b)": "[x](#b)", "[x](https://e.test/a)": "[x](https://e.test/a)", "[x](mailto:a@e)": "[x](mailto:a@e)",
		"[x](../pkg/a)": "[x](URL/pkg/a)", "[x](b.md#c), [y](a.md)": "[x](URL/docs/b.md#c), [y](a.md)",
	} {
		if got := relink(text, "docs/page.md", here, "URL/"); got != want {
			t.Errorf("relink(%q) = %q, want %q", text, got, want)
		}
	}
}
