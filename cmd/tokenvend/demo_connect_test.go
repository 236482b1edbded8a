package main

import (
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// What browser_test.go does in Chromium, by a client that follows redirects:
// consent at a demo's provider, after an answer with another state.
func TestAnAccountIsConnectedAtADemo(t *testing.T) {
	s := demo(t, t.TempDir())
	c, link := s.connect(t, "trackmania", "--account", "alice")
	answer, err := c.browser.Get(link)
	back := s.allowed(t, sentTo(t, answer, err), "alice")
	if status, _ := c.open(withState(t, back, "wrong")); status < 400 {
		t.Errorf("an answer with another state = %d, want an error", status)
	}
	s.unconnected(t)
	if status, text := c.open(back); status != 200 {
		t.Errorf("the answer = %d %s, want 200", status, text)
	}
	c.ended().want(t, clierror.OK, "trackmania: the account alice is connected")
	who := subject(t, tv(t, s.dir, "", "get", "trackmania", "--account", "alice").want(t, clierror.OK).out)
	if who != "alice" {
		t.Errorf("the token is %q's, want alice's", who)
	}
	out := tv(t, s.dir, "", "accounts", "trackmania").want(t, clierror.OK).out
	if fields := strings.Fields(out[strings.Index(out, "\n")+1:]); len(fields) < 2 || fields[0] != "alice" {
		t.Errorf("accounts trackmania = %s, want alice", out)
	}
	if n := s.stats(t, "trackmania"); n.Living != 1 || n.CodeRequests != 1 {
		t.Errorf("at the provider %d tokens live after %d codes, want 1 and 1", n.Living, n.CodeRequests)
	}
}
