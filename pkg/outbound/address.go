package outbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// ErrPrivate is the error of a host name or a connection whose address is not
// public.
var ErrPrivate = errors.New("the address is not the public internet's")

// checkPublic refuses a host name that has an address which is not public,
// whatever other addresses it has.
func checkPublic(ctx context.Context, hostport string) error {
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

// publicOnly refuses a connection to an address that is not public. A
// net.Dialer calls it for each address that it tries: the name may have changed
// since it was looked up.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !isPublic(ap.Addr()) {
		return ErrPrivate
	}
	return nil
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

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}

// isPublic reports whether an address, and any IPv4 address inside it, is on
// the public internet.
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
