package unixsocket

import (
	"errors"
	"net"
	"syscall"
)

const reportsPeers = true

// peer returns the user of the process that made a connection: unix(7),
// SO_PEERCRED.
func peer(c net.Conn) (uint32, error) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, errors.New("unixsocket: not a unix socket")
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	failed := raw.Control(func(fd uintptr) {
		cred, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err := errors.Join(failed, err); err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
