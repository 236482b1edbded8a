package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/testbed"
)

// connecting is one tokenvend connect under way.
type connecting struct {
	*testing.T
	cmd      *exec.Cmd
	out, err lockedBuffer
	link     string // what it has a browser open
}

var links = regexp.MustCompile(`(?m)^  (http://127\.0\.0\.1:\S+)$`)

// connect begins tokenvend connect, and waits until it waits for a browser.
func (s *served) connect(t *testing.T, args ...string) *connecting {
	t.Helper()
	c := &connecting{T: t, cmd: exec.CommandContext(t.Context(), program, append([]string{"connect", "--no-browser", "--timeout", "2m"}, args...)...)}
	c.cmd.Dir, c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr = s.dir, clean(), &c.out, &c.err
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 500 {
		if found := links.FindStringSubmatch(c.err.String()); found != nil {
			c.link = found[1]
			return c
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("it prints no address: %s", c.err.String())
	return nil
}

// ended waits for its end.
func (c *connecting) ended() ran {
	_ = c.cmd.Wait()
	return ran{c.out.String(), c.err.String(), c.cmd.ProcessState.ExitCode()}
}

// screenshots is a folder to keep pictures in; "": none are kept.
const screenshots = "TOKENVEND_SCREENSHOTS"

func keep(t *testing.T, tab *testbed.Tab, name string) {
	t.Helper()
	picture := tab.Picture()
	if !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("%s: not a picture", name)
	}
	if dir := os.Getenv(screenshots); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
			t.Error(err)
		}
	}
}

func TestInABrowser(t *testing.T) {
	s, b := demo(t, t.TempDir()), testbed.NewBrowser(t)
	c, tab := s.connect(t, "trackmania", "--account", "alice"), b.Tab()
	tab.Open(c.link)
	tab.Await("Allow access to trackmania?")
	keep(t, tab, "consent")
	tab.Type("#person", "alice")
	tab.Click("#allow")
	tab.Await("trackmania: the account alice is connected. You can close this window.")
	keep(t, tab, "connected")
	if r := c.ended().want(t, exitOK, "trackmania: the account alice is connected", "tokenvend get trackmania --account alice"); !strings.Contains(squeezed(r.out), "account alice\n") {
		t.Errorf("connect printed %s", r.out)
	}
	if token := tv(t, s.dir, "", "get", "trackmania", "--account", "alice").want(t, exitOK).out; len(token) < 100 {
		t.Errorf("get: %s", token)
	}
}
