package main

import (
	"os"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// An account that was connected at a demo's provider works after a restart.
func TestDemoKeepsAccountsOverRestart(t *testing.T) {
	dir := t.TempDir()
	first := demo(t, dir)
	c, link := first.connect(t, "trackmania", "--account", "alice")
	answer, err := c.browser.Get(link)
	if status, text := c.open(first.allowed(t, sentTo(t, answer, err), "alice")); status != 200 {
		t.Fatalf("the answer = %d %s, want 200", status, text)
	}
	c.ended().want(t, clierror.OK, "trackmania: the account alice is connected")
	code := first.end(t, os.Interrupt)
	if code != clierror.OK || !strings.Contains(first.out.String(), "tokenvend has ended.") {
		t.Errorf("serve, interrupted, = %d, %q, want 0 and a last line", code, first.out.String())
	}
	demo(t, dir)
	who := subject(t, tv(t, dir, "", "get", "trackmania", "--account", "alice").want(t, clierror.OK).out)
	if who != "alice" {
		t.Errorf("the token after a restart is %q's, want alice's", who)
	}
}
