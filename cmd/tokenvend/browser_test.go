//go:build testall && unix

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// screenshots is a folder to keep pictures in; "": none are kept.
const screenshots = "TOKENVEND_SCREENSHOTS"

func keep(t *testing.T, tab *testbed.Tab, name string) {
	t.Helper()
	picture := tab.Picture()
	if !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("Picture() of %s is no PNG, want one", name)
	}
	if dir := os.Getenv(screenshots); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// allow lets a person log in at a tab's authorize page, and allow it.
func allow(tab *testbed.Tab, person string) {
	tab.Type("#person", person)
	tab.Click("#allow")
}

func (s *served) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func TestAnAccountIsConnectedInABrowser(t *testing.T) {
	s, b := demo(t, t.TempDir()), testbed.NewBrowser(t)
	tab := b.Tab()
	c, link := s.connect(t, "trackmania", "--account", "alice")
	tab.Open(link)
	tab.Await("Allow access to trackmania?")
	keep(t, tab, "consent")
	allow(tab, "alice")
	tab.Await("trackmania: the account alice is connected. You can close this window.")
	keep(t, tab, "connected")
	r := c.ended().
		want(t, clierror.OK, "trackmania: the account alice is connected", "tokenvend get trackmania --account alice")
	if !strings.Contains(squeezed(r.out), "account alice\n") {
		t.Errorf("connect prints %s, want the account", r.out)
	}
	token := tv(t, s.dir, "", "get", "trackmania", "--account", "alice").want(t, clierror.OK).out
	if who := subject(t, token); who != "alice" {
		t.Errorf("get prints a token of %q, want alice's", who)
	}
	if n := s.stats(t, "trackmania"); n.Living != 1 || n.CodeRequests != 1 {
		t.Errorf("the provider has %d living tokens after %d codes, want 1 and 1", n.Living, n.CodeRequests)
	}
	tv(t, s.dir, "", "get", "trackmania", "--account", "bob").want(t, clierror.Refused, "tokenvend connect")

	c, link = s.connect(t, "movemint", "--account", "alice")
	tab.Open(link)
	allow(tab, "alice")
	tab.Await("is connected")
	c.ended().want(t, clierror.OK)
	if out := squeezed(tv(t, s.dir, "", "status", "movemint", "--account", "alice", "--verify").want(t,
		clierror.OK).out); !strings.Contains(
		out,
		"verified the provider takes the token\n",
	) {
		t.Errorf("status --verify = %s, want that the provider takes the token", out)
	}
}

func TestARefusedConsentInABrowser(t *testing.T) {
	s, b := demo(t, t.TempDir()), testbed.NewBrowser(t)
	tab := b.Tab()
	c, link := s.connect(t, "trackmania", "--account", "alice")
	tab.Open(link)
	tab.Click("#deny")
	tab.Await("access was not allowed, and nothing was stored")
	keep(t, tab, "refused")
	c.ended().want(t, clierror.Refused, "access was not allowed, and nothing was stored", "access_denied")
	s.unconnected(t)
}

// The right one is still waited for: any page in the browser could have sent
// the wrong one.
func TestAWrongStateInABrowser(t *testing.T) {
	s, b := demo(t, t.TempDir()), testbed.NewBrowser(t)
	tab := b.Tab()
	c, link := s.connect(t, "trackmania", "--account", "alice")
	tab.Open(link)
	tab.Await("Allow access to trackmania?")
	back := s.allowed(t, tab.Address(), "mallory")
	other := b.Tab()
	for _, state := range []string{"wrong", ""} {
		other.Open(withState(t, back, state))
		other.Await("This is not the answer that was waited for")
		other.Open("about:blank")
	}
	other.Open(withState(t, back, "wrong"))
	other.Await("nothing was stored")
	keep(t, other, "wrong-state")
	s.unconnected(t)
	allow(tab, "alice")
	tab.Await("is connected")
	c.ended().want(t, clierror.OK)
	who := subject(t, tv(t, s.dir, "", "get", "trackmania", "--account", "alice").want(t, clierror.OK).out)
	if who != "alice" {
		t.Errorf("get prints a token of %q, want alice's", who)
	}
}

// The server stands still while both come back, so that none is done before the
// other arrives.
func TestARedirectThatComesTwiceInABrowser(t *testing.T) {
	s, b := demo(t, t.TempDir()), testbed.NewBrowser(t)
	one, two := b.Tab(), b.Tab()
	c, link := s.connect(t, "trackmania", "--account", "alice")
	one.Open(link)
	one.Await("Allow access to trackmania?")
	page := one.Address()
	first, second := s.allowed(t, page, "alice"), s.allowed(t, page, "alice")
	s.signal(t, syscall.SIGSTOP)
	one.Open(first)
	two.Open(second)
	late := testbed.First("This is done already", one, two)
	keep(t, late, "twice")
	s.signal(t, syscall.SIGCONT)
	testbed.First("tokenvend: Connected", one, two)
	c.ended().want(t, clierror.OK)
	var report api.StatusReport
	if out := tv(t, s.dir, "", "status", "trackmania", "--account", "alice", "--json").want(t,
		clierror.OK).out; json.Unmarshal(
		[]byte(out),
		&report,
	) != nil ||
		report.Generation != 1 ||
		report.State != api.Fresh {
		t.Errorf("status = %s, want a fresh token of generation 1", out)
	}
	if n := s.stats(t, "trackmania"); n.CodeRequests != 1 || n.Living != 1 {
		t.Errorf("the provider has %d living tokens after %d codes, want 1 and 1", n.Living, n.CodeRequests)
	}
}
