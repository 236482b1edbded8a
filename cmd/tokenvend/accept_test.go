package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// A secret that names another destination holds the grants of its accounts
// back, until an operator has seen what changed and accepts it.
func TestAttack02_AcceptShowsWhatChangedAndAsks(t *testing.T) {
	s := demo(t, t.TempDir(), "--every", "1s")
	c, link := s.connect(t, "trackmania", "--account", "alice")
	answer, err := c.browser.Get(link)
	c.open(s.allowed(t, sentTo(t, answer, err), "alice"))
	c.ended().want(t, clierror.OK)
	tv(t, s.dir, "", "accept", "trackmania", "--account", "alice").want(t, clierror.OK, "there is nothing to accept")

	rewrite(t, filepath.Join(s.dir, defaultData, "credentials", "trackmania.json"), "token_url",
		"https://API.trackmania.com/api/access_token")
	status := func() string {
		return tv(t, s.dir, "", "status", "trackmania", "--account", "alice").out
	}
	out := eventually(t, func() string {
		if out := status(); strings.Contains(out, "destination_changed") {
			return out
		}
		return ""
	})
	if !strings.Contains(squeezed(out), "token_url: nothing became https://API.trackmania.com/api/access_token") ||
		!strings.Contains(out, "tokenvend accept trackmania --account alice") {
		t.Errorf("status says\n%s\nwant what changed and the command that mends it", out)
	}
	tv(
		t,
		s.dir,
		"",
		"get",
		"trackmania",
		"--account",
		"alice",
	).want(t, clierror.Refused, "tokenvend accept trackmania")
	tv(
		t,
		s.dir,
		"",
		"accept",
		"trackmania",
		"--account",
		"alice",
	).want(t, clierror.BadUsage, "--yes is needed", "nothing was accepted")

	r := tv(t, s.dir, "", "accept", "trackmania", "--account", "alice", "--yes").want(t, clierror.OK, "accepted")
	if !strings.Contains(r.err, "token_url") {
		t.Errorf("accept prints\n%s\nwant what changed", r.err)
	}
	who := subject(t, tv(t, s.dir, "", "get", "trackmania", "--account", "alice").want(t, clierror.OK).out)
	if who != "alice" {
		t.Errorf("the token is %q's, want alice's", who)
	}
}

// rewrite changes one field of a credential's file.
func rewrite(t *testing.T, path, field, value string) {
	t.Helper()
	data, err := os.ReadFile(path)
	fields := map[string]any{}
	if err == nil {
		err = json.Unmarshal(data, &fields)
	}
	fields[field] = value
	if err == nil {
		data, err = json.Marshal(fields)
	}
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
