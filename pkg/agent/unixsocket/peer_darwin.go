package unixsocket

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

const reportsPeers = true

// peer returns the user of the process that made a connection: unix(4) of
// macOS, LOCAL_PEERCRED.
func peer(c net.Conn) (uint32, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("unixsocket: not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *unix.Xucred
	failed := raw.Control(func(fd uintptr) {
		cred, err = unix.GetsockoptXucred(int(fd), unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	})
	if err := errors.Join(failed, err); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
