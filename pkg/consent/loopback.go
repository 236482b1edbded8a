package consent

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"syscall"
)

// httpPort is the port of an http URL without one.
const httpPort = "80"

// listenAll listens on every address that a browser may try for the redirect
// URI. For localhost, a browser tries ::1 as well as 127.0.0.1, and another
// program on one of them would receive the code. So it takes every loopback
// address of this machine, and fails where one is in use.
func listenAll(u *url.URL) ([]net.Listener, error) {
	port := u.Port()
	if port == "" {
		port = httpPort
	}
	hosts, err := loopbackHosts(u.Hostname())
	if err != nil {
		return nil, err
	}
	var listeners []net.Listener
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, port))
		if err != nil {
			for _, l := range listeners {
				_ = l.Close()
			}
			return nil, refused(net.JoinHostPort(host, port), err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// loopbackHosts returns the addresses of this machine that a browser may use
// for a host. It does not look localhost up: see RFC 6761 §6.3.
func loopbackHosts(host string) ([]string, error) {
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}, nil
	}
	own, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("the redirect URI: the addresses of this machine: %w", err)
	}
	var hosts []string
	for _, host := range []string{"127.0.0.1", "::1"} {
		if slices.ContainsFunc(own, func(a net.Addr) bool { return isAddress(a, host) }) {
			hosts = append(hosts, host)
		}
	}
	if len(hosts) == 0 {
		return nil, errors.New("the redirect URI: this machine has no loopback address")
	}
	return hosts, nil
}

func isAddress(a net.Addr, host string) bool {
	network, ok := a.(*net.IPNet)
	return ok && network.IP.Equal(net.ParseIP(host))
}

func refused(address string, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("the redirect URI: another program listens on %s and could receive the person's code: "+
			"end it, or register another port", address)
	}
	return fmt.Errorf("the redirect URI: %w", err)
}
