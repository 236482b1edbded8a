package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

var verbatim = flag.Bool("verbatim", false, "run docs/tutorial.md with its own ports and folder, and build the program")

// The commands of docs/tutorial.md print what the page says. Without -verbatim,
// ports and folder differ, and the program is built already.
func TestTutorial(t *testing.T) {
	t.Parallel()
	runPage(t, "../../docs/tutorial.md", 15, func(b block) bool { return b.marks["needs"] == "" })
}

// The same of the README's demo.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	runPage(t, "../../README.md", 4, func(b block) bool { return b.marks["test"] == "TestReadmeCommands" })
}

// runPage runs the chosen blocks of a page, and compares what they print with
// the block of text that follows each.
func runPage(t *testing.T, file string, atLeast int, chosen func(block) bool) {
	t.Helper()
	testbed.LookAtSources(t)
	page, err := os.ReadFile(file)
	must(t, err)
	l := newLesson(t)
	ran := 0
	for _, b := range blocksOf(string(page)) {
		switch {
		case b.language == "sh" && chosen(b):
			l.run(t, b)
			ran++
		case b.language == "text" && b.follows:
			l.expect(t, b)
		}
	}
	if ran < atLeast {
		t.Errorf("%s has %d blocks that are run, want %d or more", file, ran, atLeast)
	}
}

// fence finds the fenced blocks of a page.
var fence = regexp.MustCompile("(?ms)^```(\\S*)([^\n]*)\n(.*?)^```$")

// block is a fenced block of a page.
type block struct {
	language, text string
	marks          map[string]string // what stands behind the language
	follows        bool              // it stands directly below another block
}

func blocksOf(page string) []block {
	var all []block
	end := -1
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		b := block{
			language: page[at[2]:at[3]], text: page[at[6]:at[7]], marks: map[string]string{}, follows: at[0] == end+1,
		}
		for mark := range strings.FieldsSeq(page[at[4]:at[5]]) {
			name, value, _ := strings.Cut(mark, "=")
			b.marks[name] = value
		}
		all, end = append(all, b), at[1]
	}
	return all
}

// lesson runs the blocks of a page in shells.
type lesson struct {
	dir     string
	env     []string
	shell   *lessonShell      // the first terminal
	printed func() string     // what the last block printed
	replace map[string]string // in blocks
}

func newLesson(t *testing.T) *lesson {
	t.Helper()
	root, err := filepath.Abs("../..")
	must(t, err)
	home := t.TempDir()
	l := &lesson{dir: t.TempDir(), env: clean(home), replace: map[string]string{}}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY", "GOSUMDB"} {
		value, err := exec.Command("go", "env", name).Output() // #nosec G204 -- of the list above
		must(t, err)
		l.env = append(l.env, name+"="+strings.TrimSpace(string(value)))
	}
	if *verbatim {
		l.dir = root
		t.Cleanup(func() { must(t, os.RemoveAll(filepath.Join(root, "tutorial"))) })
	} else {
		l.replace = map[string]string{
			"make build\n":           "",
			"make run":               "tokenvend serve --demo --listen 127.0.0.1:0 --demo-listen 127.0.0.1:0",
			"$PWD/bin":               filepath.Dir(program),
			"go run ./cmd/tokenvend": "tokenvend",
			"go run ./examples/provider": "go -C " + root + " run ./examples/provider -listen localhost:0 -dir " +
				l.dir + "/tutorial",
			"tokenvend serve --data": "tokenvend serve --listen 127.0.0.1:0 --data",
			"tokenvend agent":        "tokenvend agent --listen 127.0.0.1:0",
			"its CA is in tutorial":  "its CA is in " + l.dir + "/tutorial",
		}
	}
	l.shell = newLessonShell(t, l.dir, l.env)
	return l
}

// addresses are those that the pages name, and how the server of a terminal
// prints the real one.
var addresses = map[string]map[string]*regexp.Regexp{
	"provider":  {"localhost:8443": serves},
	"tokenvend": {"127.0.0.1:3000": serves},
	"agent":     {"127.0.0.1:2774": serves},
	"demo":      {"127.0.0.1:3000": serves, "127.0.0.1:3001": regexp.MustCompile(`curl http://(\S+)/stats`)},
}

var serves = regexp.MustCompile(`listens on https?://([a-z0-9.]+:[0-9]+)`)

// run runs a block, or starts it in a terminal of its own.
func (l *lesson) run(t *testing.T, b block) {
	t.Helper()
	command := l.with(b.text)
	terminal := b.marks["terminal"]
	if terminal == "" {
		l.printed = l.shell.run(t, command)
		return
	}
	out := start(t, l.dir, l.env, command)
	l.printed = out.String
	for named, prints := range addresses[terminal] {
		found := wait(t, command, func() []string { return prints.FindStringSubmatch(out.String()) }, l.printed)
		l.replace[named] = found[1]
	}
}

// with returns a text with what differs from the page.
func (l *lesson) with(text string) string {
	for old, changed := range l.replace {
		text = strings.ReplaceAll(text, old, changed)
	}
	return text
}

// expect waits until the lines of a block are printed, in their order. An
// ellipsis stands for anything within a line.
func (l *lesson) expect(t *testing.T, b block) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(l.with(b.text), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.ReplaceAll(regexp.QuoteMeta(line), "…", "[^\n]*")
	}
	pattern := regexp.MustCompile("(?m)^" + strings.Join(lines, "$(?s:.*)^") + "$")
	wait(t, b.text, func() []string { return pattern.FindStringSubmatch(l.printed()) }, l.printed)
}

// wait waits until something is found in what was printed.
func wait(t *testing.T, about string, find func() []string, printed func() string) []string {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if found := find(); found != nil {
			return found
		}
		if strings.Contains(printed(), commandEnd) {
			break
		}
	}
	t.Fatalf("docs/tutorial.md prints\n%s\nwant\n%s", printed(), about)
	return nil
}
