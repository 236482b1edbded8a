package torture_test

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

// table has a cell for each row and contender. nil: not measured.
type table struct {
	rows       []row
	contenders []contender
	cells      [][]*finding
}

func newTable(all []contender) *table {
	t := &table{rows: rows(), contenders: all}
	for range t.rows {
		t.cells = append(t.cells, make([]*finding, len(all)))
	}
	return t
}

// compare checks that the page has the versions that are installed, and what
// was measured now. Rows with a clock are left out: their figures differ
// between runs.
func (t *table) compare(tb testing.TB) {
	tb.Helper()
	text, err := os.ReadFile(pageFile)
	testworld.Must(tb, err)
	page := string(text)
	for _, line := range versions(tb) {
		if !strings.Contains(page, line) {
			tb.Errorf("%s lacks %q: run make torture", pageFile, line)
		}
	}
	for i, r := range t.rows {
		_, rest, _ := strings.Cut(page, "\n| "+r.what+" | ")
		line, _, _ := strings.Cut(rest, " |\n")
		written := strings.Split(line, " | ")
		if len(written) != len(columns) {
			tb.Errorf("%s: the row %q = %q, want %d cells: run make torture", pageFile, r.what, written, len(columns))
			continue
		}
		for j, f := range t.cells[i] {
			if f == nil || f.calls > fewCalls {
				continue
			}
			if cell := written[t.column(j)]; cell != f.String() {
				name := t.contenders[j].name
				tb.Errorf("%s: %s in the row %q = %q, want %q: run make torture", pageFile, name, r.what, cell, f)
			}
		}
	}
}

// column returns which column of the page a contender has: tokenvend's is the
// last, also where this build measures fewer.
func (t *table) column(contender int) int {
	if t.contenders[contender].name == tokenvendName {
		return len(columns) - 1
	}
	return contender
}

// columns are the contenders of the page.
var columns = []string{
	oauth2Name, "Authlib", "requests-oauthlib", "MSAL", "openid-client", "simple-oauth2", "Spring Security",
	tokenvendName,
}

// The folders whose files pin the versions of libraries.
const (
	npmFolder  = "../../examples/oauth2/js"
	javaFolder = "driver/java"
)

// versions returns a line for each library, with its pinned version.
func versions(tb testing.TB) (lines []string) {
	tb.Helper()
	python := func(name string) string { return pinned(tb, "../testbed/requirements.txt", `(?m)^`+name+`==(\S+)`) }
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	text, err := os.ReadFile(npmFolder + "/package-lock.json")
	testworld.Must(tb, err)
	testworld.Must(tb, json.Unmarshal(text, &lock))
	npm := func(name string) string { return lock.Packages["node_modules/"+name].Version }
	spring := pinned(tb, javaFolder+"/pom.xml", `<artifactId>spring-security-oauth2-client</artifactId>\s*<version>(.*)</`)
	for _, line := range [][3]string{
		{"golang.org/x/oauth2", pinned(tb, "../../go.mod", `(?m)^\s*golang.org/x/oauth2 v(\S+)`), inOAuth2},
		{"Authlib", python("authlib"), inAuthlib},
		{"requests-oauthlib", python("requests-oauthlib"), inRequestsOAuthlib},
		{"MSAL for Python", python("msal"), inMSAL},
		{"openid-client", npm("openid-client"), inOpenIDClient},
		{"simple-oauth2", npm("simple-oauth2"), inSimpleOAuth2},
		{"Spring Security", spring, inSpring},
	} {
		if line[1] == "" {
			tb.Errorf("version of %s: none is pinned", line[0])
		}
		lines = append(lines, fmt.Sprintf("| %s %s | %s |", line[0], line[1], line[2]))
	}
	return lines
}

// pinned returns what an expression captures in a file.
func pinned(tb testing.TB, file, expression string) string {
	tb.Helper()
	text, err := os.ReadFile(file)
	testworld.Must(tb, err)
	found := regexp.MustCompile(expression).FindSubmatch(text)
	if found == nil {
		tb.Fatalf("%s has no %s", file, expression)
	}
	return string(found[1])
}

// page returns the whole file.
func (t *table) page(tb testing.TB) string {
	tb.Helper()
	if len(t.contenders) < len(columns) {
		tb.Fatal("the page needs the build tag testall: run make torture")
	}
	for i, r := range t.rows {
		for j, c := range t.contenders {
			if t.cells[i][j] == nil && c.measures(r) {
				tb.Fatalf("%s in the row %q was not measured, want every cell: run make torture", c.name, r.what)
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, heading, strings.Join(versions(tb), "\n"))
	t.summary(&b)
	for i, r := range t.rows {
		if r.group != "" {
			fmt.Fprintf(&b, "\n## %s\n\n| the endpoint | %s |\n", r.group, strings.Join(columns, " | "))
			b.WriteString(strings.Repeat("|---", len(columns)+1) + "|\n")
		}
		fmt.Fprintf(&b, "| %s |", r.what)
		for _, f := range t.cells[i] {
			fmt.Fprintf(&b, " %s |", f.cell())
		}
		b.WriteString("\n")
	}
	return b.String()
}

func (f *finding) cell() string {
	if f == nil {
		return "n/a"
	}
	return f.String()
}

// summary counts rows for each contender, of those that all have.
func (t *table) summary(b *strings.Builder) {
	counts := []struct {
		what string
		is   func(*finding) bool
	}{
		{"client secret sent to another host, or without TLS", func(f *finding) bool { return f.secret }},
		{"token of another host given to callers", func(f *finding) bool { return f.foreign }},
		{"token for ever, or for more than a day", func(f *finding) bool { return f.endless }},
		{"token with CR LF, or of type mac", func(f *finding) bool { return f.unsafe }},
		{"client secret in the logged error", func(f *finding) bool { return f.showsSecret }},
		{"response's body in the logged error", func(f *finding) bool { return f.quotes }},
		{"more than one request", func(f *finding) bool { return f.asked > 1 }},
	}
	shared := t.shared()
	fmt.Fprintf(b, summaryHeading, len(shared), strings.Join(columns, " | "), strings.Repeat("|---", len(columns)+1))
	for _, c := range counts {
		fmt.Fprintf(b, "| %s |", c.what)
		for j := range t.contenders {
			n := 0
			for _, cells := range shared {
				if c.is(cells[j]) {
					n++
				}
			}
			fmt.Fprintf(b, " %d |", n)
		}
		b.WriteString("\n")
	}
}

// shared returns the rows in which every cell was measured.
func (t *table) shared() (all [][]*finding) {
	for _, cells := range t.cells {
		if !slices.Contains(cells, nil) {
			all = append(all, cells)
		}
	}
	return all
}
