package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// Errors of a name, or of the address that a connection was to go to.
var (
	// ErrPrivate: it is not the public internet's.
	ErrPrivate = errors.New("the address is not the public internet's")
	// ErrLinkLocal: it is link-local, where machines of a cloud find their
	// credentials. No setting admits it.
	ErrLinkLocal = errors.New("the address is link-local")
	// ErrPlain: the request would be sent without TLS. See
	// [Config.PlainLoopback].
	ErrPlain = errors.New("only https is allowed")
)

// admits returns the error of an address that must not be reached.
type admits func(netip.Addr) error

func publicOnly(a netip.Addr) error {
	switch {
	case isLinkLocal(a):
		return ErrLinkLocal
	case !isPublic(a):
		return ErrPrivate
	}
	return nil
}

func anyButLinkLocal(a netip.Addr) error {
	if isLinkLocal(a) {
		return ErrLinkLocal
	}
	return nil
}

// loopbackOnly does not look inside an IPv6 address, as publicOnly does: a
// packet to 64:ff9b::127.0.0.1 leaves this machine. An IPv4-mapped address is
// the IPv4 address itself.
func loopbackOnly(a netip.Addr) error {
	if !a.Unmap().IsLoopback() {
		return ErrPlain
	}
	return nil
}

// checkName refuses a name that has any address that is not admitted, however
// many others it has.
func (check admits) checkName(ctx context.Context, hostport string) error {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, a := range all {
		if refused := check(a); refused != nil {
			return refused
		}
	}
	return err
}

// control refuses a connection to an address that is not admitted. A net.Dialer
// calls it for each address it tries: the name may have moved since it was
// looked at.
func (check admits) control(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return ErrPrivate
	}
	return check(ap.Addr())
}

// Ranges of the IANA special-purpose registries (RFC 6890 and its successors)
// that netip does not know.
var (
	specialIPv4 = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4")
	specialIPv6 = prefixes("2001::/23", "2001:db8::/32", "3fff::/20")
	globalIPv6  = netip.MustParsePrefix("2000::/3")
	// RFC 6052: IPv4 in the last four bytes
	nat64 = netip.MustParsePrefix("64:ff9b::/96")
	// RFC 3056: IPv4 in bytes 2 to 5
	sixToFour = netip.MustParsePrefix("2002::/16")
)

// linkLocal are the addresses at which a machine of a cloud finds its own
// credentials: RFC 3927, RFC 4291 §2.5.6, and AWS's over IPv6 (EC2 User Guide,
// "Access instance metadata").
var linkLocal = prefixes("169.254.0.0/16", "fe80::/10", "fd00:ec2::/32")

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}

// plain returns the IPv4 address inside an IPv6 one, where there is one, and
// else the address itself.
func plain(a netip.Addr) netip.Addr {
	a = a.WithZone("").Unmap()
	bytes := a.As16()
	switch {
	case nat64.Contains(a):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case sixToFour.Contains(a):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return a
}

// isPublic reports whether an address, or the IPv4 address inside it, is the
// public internet's.
func isPublic(a netip.Addr) bool {
	if a = plain(a); a.Is4() {
		return a.IsGlobalUnicast() && !a.IsPrivate() && !within(a, specialIPv4)
	}
	return globalIPv6.Contains(a) && !within(a, specialIPv6)
}

// isLinkLocal reports whether an address, or the IPv4 address inside it, is one
// of [linkLocal].
func isLinkLocal(a netip.Addr) bool { return within(plain(a), linkLocal) }

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
