// Package unixsocket listens on a unix socket that one user alone can use: its
// file has mode 0600, and a connection of a process of another user is closed
// before anything is read from it.
package unixsocket

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Listen listens at a path, in the place of a socket on which nobody listens
// any more. It refuses a folder that others may write: they could put a socket
// of their own there. It fails on a system that does not report the user of a
// connection.
func Listen(path string) (*Listener, error) {
	if !reportsPeers {
		return nil, errors.New("this system does not report the user of a connection: use loopback")
	}
	if err := checkFolder(filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &Listener{Listener: l, admits: isAdmitted}, nil
}

// othersWrite are the bits of a mode that let others put files into a folder.
const othersWrite fs.FileMode = 0o022

func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); mode&othersWrite != 0 {
		return fmt.Errorf("others may put files into %s, which has mode %#o: choose a folder of your own", dir, mode)
	}
	return nil
}

// removeStale removes a socket that a process has left behind. Anything else at
// the path is kept, and is the error.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("%s exists and is not a socket: choose another path, or remove it", path)
	}
	if c, err := net.Dial("unix", path); err == nil {
		_ = c.Close()
		return fmt.Errorf("a process listens on %s: end it, or choose another path", path)
	}
	return os.Remove(path)
}

// Listener accepts connections of processes of this program's user, and of
// root.
type Listener struct {
	net.Listener
	admits  func(uid uint32) bool
	refused atomic.Int64
}

// Refused returns how many connections of other users were closed.
func (l *Listener) Refused() int64 { return l.refused.Load() }

// Accept returns the next connection of this user.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if uid, err := peer(c); err == nil && l.admits(uid) {
			return c, nil
		}
		l.refused.Add(1)
		_ = c.Close()
	}
}

// isAdmitted reports whether processes of a user may connect.
func isAdmitted(uid uint32) bool { return uid == 0 || int64(uid) == int64(os.Geteuid()) }
