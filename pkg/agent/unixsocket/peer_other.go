//go:build !linux && !darwin

package unixsocket

import (
	"errors"
	"net"
)

// peer fails: nobody is admitted on a system that does not report the user of a
// connection.
func peer(net.Conn) (uint32, error) {
	return 0, errors.New("unixsocket: this system does not report the user of a connection")
}
