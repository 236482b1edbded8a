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
	testbed.LookAtSources(t)
	text, err := os.ReadFile("../../docs/tutorial.md")
	must(t, err)
	root, err := filepath.Abs("../..")
	must(t, err)
	l := newLesson(t, root)
	ran := 0
	for _, b := range blocksOf(string(text)) {
		if b.marks["needs"] == "aws" {
			continue
		}
		ran++
		if b.language == "text" {
			l.expect(t, b)
		} else {
			l.run(t, b)
		}
		if t.Failed() {
			return
		}
	}
	if ran < 20 {
		t.Errorf("docs/tutorial.md has %d blocks that are run, want 20 or more", ran)
	}
}

// fence finds the fenced blocks of a page.
var fence = regexp.MustCompile("(?ms)^```(\\S*)([^\n]*)\n(.*?)^```$")

// block is a fenced block of a page.
type block struct {
	language, text string
	marks          map[string]string // what stands behind the language
}

func blocksOf(page string) []block {
	var all []block
	for _, found := range fence.FindAllStringSubmatch(page, -1) {
		b := block{language: found[1], text: found[3], marks: map[string]string{}}
		for mark := range strings.FieldsSeq(found[2]) {
			name, value, _ := strings.Cut(mark, "=")
			b.marks[name] = value
		}
		all = append(all, b)
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

func newLesson(t *testing.T, root string) *lesson {
	t.Helper()
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
		provider := filepath.Join(home, "provider")
		out, err := exec.Command("go", "build", "-o", provider, "../../examples/provider").CombinedOutput()
		if err != nil {
			t.Fatalf("go build ./examples/provider: %v, want no error: %s", err, out)
		}
		l.replace = map[string]string{
			"make build\n":               "",
			"$PWD/bin":                   filepath.Dir(program),
			"go run ./examples/provider": provider + " -listen localhost:0",
			"tokenvend serve":            "tokenvend serve --listen 127.0.0.1:0",
			"tokenvend agent":            "tokenvend agent --listen 127.0.0.1:0",
		}
	}
	l.shell = newLessonShell(t, l.dir, l.env)
	return l
}

// addresses are those that the page names, by the terminal that serves them.
var addresses = map[string]string{
	"provider": "localhost:8443", "tokenvend": "127.0.0.1:3000", "agent": "127.0.0.1:2774",
}

// address finds the address of a server in what it prints.
var address = regexp.MustCompile(`listens on https?://([a-z0-9.]+:[0-9]+)`)

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
	found := wait(t, command, func() []string { return address.FindStringSubmatch(out.String()) }, l.printed)
	l.replace[addresses[terminal]] = found[1]
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
