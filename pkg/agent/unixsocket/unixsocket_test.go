//go:build linux || darwin

package unixsocket

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder returns a folder of this user's with a short path: that of a socket
// has at most 104 characters on some systems.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "socket-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func listen(t *testing.T, path string) *Listener {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatalf("Listen(%s) = %v, want a listener", path, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestListenAdmitsThisUser(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	l := listen(t, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Stat(%s) = %v, %v, want mode 0600", path, info.Mode(), err)
	}
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatalf("Accept() = %v, want a connection", err)
	}
	_ = accepted.Close()
	if uid, err := peer(accepted); err == nil {
		t.Errorf("peer(closed) = %d, want an error", uid)
	}
}

func TestIsAdmitted(t *testing.T) {
	me := uint32(os.Geteuid())
	for uid, want := range map[uint32]bool{0: true, me: true, me + 1: false, 65534: me == 65534} {
		if got := isAdmitted(uid); got != want {
			t.Errorf("isAdmitted(%d) = %t, want %t", uid, got, want)
		}
	}
}

func TestListenReplacesASocketThatIsLeft(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	left, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	left.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = left.Close()
	listen(t, path)
}

func TestListenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string)
		says    string
	}{
		"a folder that others may write": {
			func(t *testing.T, dir string) {
				if err := os.Chmod(dir, 0o777); err != nil {
					t.Fatal(err)
				}
			}, "choose a folder of your own",
		},
		"a file": {
			func(t *testing.T, dir string) {
				if err := os.WriteFile(filepath.Join(dir, "agent.sock"), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}, "exists and is not a socket",
		},
		"a symbolic link": {
			func(t *testing.T, dir string) {
				if err := os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(dir, "agent.sock")); err != nil {
					t.Fatal(err)
				}
			}, "exists and is not a socket",
		},
		"a socket in use": {
			func(t *testing.T, dir string) { listen(t, filepath.Join(dir, "agent.sock")) }, "a process listens on",
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t)
			c.prepare(t, dir)
			l, err := Listen(filepath.Join(dir, "agent.sock"))
			if err == nil {
				_ = l.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("Listen = %v, want %q", err, c.says)
			}
		})
	}
}

// A connection of another user is closed unread, also where the file's mode
// would let it in.
func TestAcceptClosesConnectionsOfOthers(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	l := listen(t, path)
	l.admits = func(uint32) bool { return false }
	go func() { _, _ = l.Accept() }()
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if got, err := io.ReadAll(c); len(got) > 0 {
		t.Errorf("a connection of another user reads %q, %v, want nothing", got, err)
	}
	if got := l.Refused(); got != 1 {
		t.Errorf("Refused() = %d, want 1", got)
	}
}
