package docs

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// link finds the targets of links.
var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// Every relative link leads to a file, and every anchor to a heading.
func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	for from, text := range all {
		for _, found := range link.FindAllStringSubmatch(prose(text), -1) {
			if err := follow(all, from, found[1]); err != nil {
				t.Errorf("%s links %s: %v", from, found[1], err)
			}
		}
	}
}

func follow(all map[string]string, from, target string) error {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return nil
	}
	file, anchor, hasAnchor := strings.Cut(target, "#")
	at := from
	if file != "" {
		at = path.Join(path.Dir(from), file)
	}
	if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(at))); err != nil {
		return fmt.Errorf("there is no %s", at)
	}
	if hasAnchor && !anchors(all[at])[anchor] {
		return fmt.Errorf("%s has no heading #%s", at, anchor)
	}
	return nil
}

var (
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	dropped = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(text string) map[string]bool {
	all, times := map[string]bool{}, map[string]int{}
	for _, found := range heading.FindAllStringSubmatch(prose(text), -1) {
		anchor := strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")
		times[anchor]++
		if n := times[anchor]; n > 1 {
			anchor = fmt.Sprintf("%s-%d", anchor, n-1)
		}
		all[anchor] = true
	}
	return all
}

// The index names every page of docs but those of a folder with an index of its
// own, and the decisions.
func TestIndexHasEveryPage(t *testing.T) {
	index := page(t, "docs/README.md")
	for name := range pages(t) {
		relative, below := strings.CutPrefix(name, "docs/")
		if !below || relative == "README.md" || strings.Contains(relative, "/decisions/") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, path.Dir(name), "README.md")); err == nil &&
			path.Base(name) != "README.md" && path.Dir(name) != "docs" {
			continue
		}
		if !strings.Contains(index, "]("+relative+")") {
			t.Errorf("docs/README.md does not link %s", relative)
		}
	}
}
