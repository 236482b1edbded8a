package main

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	node := needs[slices.IndexFunc(needs, func(n need) bool { return n.programs[0] == "node" })]
	for _, c := range []struct {
		said, missing string
		err           error
	}{
		{said: "v20.1.0"},
		{said: "v22.0.0\n"},
		{said: "\x1b[0mv22.0.0\n\x1b[0m"},
		{said: "v18.19.0", missing: "version 18, want 20"},
		{said: "warning: [: 99: odd\nv20.0.0"},
		{said: "more\nboom", err: errors.New("exit status 1"), missing: "does not work: boom"},
	} {
		got := node.classify("/bin/node", c.said, c.err).missing
		if (got == nil) != (c.missing == "") || got != nil && !strings.Contains(got.Error(), c.missing) {
			t.Errorf("classify(%q, %v) = %v, want %q", c.said, c.err, got, c.missing)
		}
	}
	gone := need{name: "x", programs: []string{"no-such-program"}}
	if got := gone.look(t.Context()).missing; got == nil {
		t.Error("look for a program that is not there finds it")
	}
}

// nothing returns a machine without two needs, one of which apt-get can
// install.
func nothing(apt bool) (m machine, out *bytes.Buffer, installed *[]string) {
	out, installed = &bytes.Buffer{}, new([]string)
	m = machine{out: out, in: strings.NewReader("")}
	m.look = func(context.Context) []found {
		all := []found{
			{
				need:    need{name: "Node.js 20", packages: []string{"nodejs"}, elsewhere: "https://nodejs.org"},
				missing: errors.New("not found"),
			},
			{need: need{name: "curl"}, what: "/bin/curl"},
		}
		if len(*installed) > 0 {
			all[0].missing = nil
		}
		return all
	}
	if apt {
		m.apt = func(_ context.Context, packages ...string) error {
			*installed = packages
			return nil
		}
	}
	return m, out, installed
}

func TestCheck(t *testing.T) {
	for name, c := range map[string]struct {
		apt       bool
		change    func(*machine)
		installed string
		err       string
	}{
		"no apt-get":  {false, func(m *machine) { m.root, m.ci = true, true }, "", "install them as the table says"},
		"not root":    {true, func(m *machine) { m.ci = true }, "", "sudo apt-get install nodejs"},
		"root in CI":  {true, func(m *machine) { m.root, m.ci = true, true }, "nodejs", ""},
		"no terminal": {true, func(m *machine) { m.root = true }, "", "set CI=true"},
		"asked, yes": {true, func(m *machine) {
			m.root, m.terminal, m.in = true, true, strings.NewReader("y\n")
		}, "nodejs", ""},
		"asked, no": {true, func(m *machine) {
			m.root, m.terminal, m.in = true, true, strings.NewReader("\n")
		}, "", "nothing was installed"},
		"apt-get fails": {true, func(m *machine) {
			m.root, m.ci, m.apt = true, true, func(context.Context, ...string) error { return errors.New("no network") }
		}, "", "no network"},
		"apt-get has none": {true, func(m *machine) {
			m.root, m.ci, m.apt = true, true, func(context.Context, ...string) error { return nil }
		}, "", "still missing"},
	} {
		t.Run(name, func(t *testing.T) {
			m, out, installed := nothing(c.apt)
			c.change(&m)
			err := m.check(t.Context())
			if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("check() = %v, want %q", err, c.err)
			}
			if c.err != "" && c.err != "no network" && !strings.Contains(err.Error(), "Node.js 20") &&
				c.err != "nothing was installed" {
				t.Errorf("check() = %v, want the name of what is missing in it", err)
			}
			if got := strings.Join(*installed, " "); got != c.installed {
				t.Errorf("check() installs %q, want %q", got, c.installed)
			}
			if text := out.String(); !strings.Contains(text, "how to install") ||
				!strings.Contains(text, "Node.js 20") || !strings.Contains(text, "/bin/curl") {
				t.Errorf("the table is\n%s", text)
			}
		})
	}
}
