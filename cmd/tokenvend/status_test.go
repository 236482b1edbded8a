package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// wrong checks that status fails because of the one token of that name.
func (r ran) wrong(t *testing.T, name string) ran {
	t.Helper()
	if want := name + ": the token is not well"; r.code != clierror.Failed || !strings.Contains(r.err, want) {
		t.Errorf("status exits with %d and prints %q, want %d and %q", r.code, r.err, clierror.Failed, want)
	}
	return r
}

func TestStatusOfSeveral(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "get", "monta").want(t, clierror.OK)
	out := tv(t, s.dir, "", "status", "monta", "trackmania").want(t, clierror.OK).out
	if n := strings.Count(out, "\n"); n != 3 || !strings.Contains(squeezed(out), "monta monta fresh in ") {
		t.Errorf("status monta trackmania = %s, want a head and two lines", out)
	}
	s.fault(t, "movemint", `{"down":true}`)
	tv(t, s.dir, "", "get", "movemint").want(t, clierror.Failed)
	tv(t, s.dir, "", "status", "--all").wrong(t, "movemint")
	r := tv(t, s.dir, "", "status", "--all", "--json").wrong(t, "movemint")
	var all struct {
		Tokens []struct{ Credential, State string }
	}
	if err := json.Unmarshal([]byte(r.out), &all); err != nil || len(all.Tokens) != 5 {
		t.Errorf("status --all --json = %s, %v, want five tokens", r.out, err)
	}
	tv(t, s.dir, "", "status", "monta", "nosuch").wrong(t, "nosuch")
	tv(t, s.dir, "", "status").want(t, clierror.BadUsage, "or --all")
	tv(t, s.dir, "", "status", "monta", "--all").want(t, clierror.BadUsage, "or --all")
}

func TestListSortsAndFilters(t *testing.T) {
	s := demo(t, t.TempDir(), "--demo-lifetime", "10m")
	tv(t, s.dir, "", "get", "movemint").want(t, clierror.OK)
	first := func(args ...string) string {
		lines := strings.Split(tv(t, s.dir, "", append([]string{"ls"}, args...)...).want(t, clierror.OK).out, "\n")
		return strings.Fields(lines[1])[0]
	}
	if got := first(); got != "miden" {
		t.Errorf("ls has %s first, want miden", got)
	}
	if got := first("--sort", "state", "--state", "none"); got != "miden" {
		t.Errorf("ls --state none has %s first, want miden", got)
	}
	if got := first("--provider", "movemint"); got != "movemint" {
		t.Errorf("ls --provider movemint has %s first, want movemint", got)
	}
	out := squeezed(tv(t, s.dir, "", "ls", "--sort", "expires").want(t, clierror.OK).out)
	if at, last := strings.Index(out, "movemint"), strings.Index(out, "miden"); at < 0 || at > last {
		t.Errorf("ls --sort expires = %s, want movemint before miden, which has no token", out)
	}
	var page struct {
		Credentials []struct {
			Credential string
			State      string
			ExpiresAt  time.Time `json:"expires_at"`
		}
	}
	out = tv(t, s.dir, "", "ls", "--state", "fresh", "--json").want(t, clierror.OK).out
	if err := json.Unmarshal([]byte(out), &page); err != nil || len(page.Credentials) == 0 {
		t.Fatalf("ls --state fresh --json = %s, %v, want credentials", out, err)
	}
	for _, one := range page.Credentials {
		if one.State != "fresh" || time.Until(one.ExpiresAt) <= 0 {
			t.Errorf("ls --state fresh --json has %+v, want a living token", one)
		}
	}
	if out := tv(t, s.dir, "", "ls", "--names").want(t, clierror.OK).out; strings.Contains(out, "STATE") {
		t.Errorf("ls --names = %s, want no state", out)
	}
}

func TestWatchPrintsUntilInterrupted(t *testing.T) {
	s := demo(t, t.TempDir())
	w := &served{cmd: exec.Command(program, "watch", "monta", "--every", "500ms")}
	w.cmd.Dir, w.cmd.Env, w.cmd.Stdout, w.cmd.Stderr = s.dir, clean(s.dir), &w.out, &w.log
	must(t, w.cmd.Start())
	for deadline := time.Now().Add(10 * time.Second); strings.Count(w.out.String(), "NAME") < 2; {
		if time.Now().After(deadline) {
			t.Fatalf("watch prints in 10 s %s%s, want the table twice", w.out.String(), w.log.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
	if code := w.end(t, os.Interrupt); code != clierror.OK || strings.Contains(w.out.String(), "\x1b") {
		t.Errorf("watch, interrupted, = %d, %q, want 0 and no escape to a pipe", code, w.out.String())
	}
	tv(t, s.dir, "", "watch", "--every", "1ms").want(t, clierror.BadUsage, "--every")
}
