package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// ErrPrivate: a name, or the address that a connection was to go to, is not the public internet's.
var ErrPrivate = errors.New("the address is not the public internet's")

// pointsOutwards refuses a name that has any address but the public internet's, however many others it has.
func pointsOutwards(ctx context.Context, hostport string) error {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return err
	}
	all, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, a := range all {
		if !isPublic(a) {
			return ErrPrivate
		}
	}
	return err
}

// publicOnly refuses a connection to an address that is not the public internet's. A net.Dialer calls it for each address it tries: the name may have moved since it was looked at.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(ap.Addr()) {
		return ErrPrivate
	}
	return nil
}

// Ranges of the IANA special-purpose registries (RFC 6890 and its successors) that netip does not know.
var (
	specialIPv4 = prefixes("0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4")
	specialIPv6 = prefixes("2001::/23", "2001:db8::/32", "3fff::/20")
	globalIPv6  = netip.MustParsePrefix("2000::/3")
	nat64       = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052: IPv4 in the last four bytes
	sixToFour   = netip.MustParsePrefix("2002::/16")    // RFC 3056: IPv4 in bytes 2 to 5
)

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}

// isPublic says whether an address, and any IPv4 address inside it, is the public internet's.
func isPublic(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	bytes := a.As16()
	switch {
	case a.Is4():
		return a.IsGlobalUnicast() && !a.IsPrivate() && !within(a, specialIPv4)
	case nat64.Contains(a):
		return isPublic(netip.AddrFrom4([4]byte(bytes[12:])))
	case sixToFour.Contains(a):
		return isPublic(netip.AddrFrom4([4]byte(bytes[2:6])))
	}
	return globalIPv6.Contains(a) && !within(a, specialIPv6)
}

func within(a netip.Addr, list []netip.Prefix) bool {
	for _, p := range list {
		if p.Contains(a) {
			return true
		}
	}
	return false
}
