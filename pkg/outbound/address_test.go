package outbound

import (
	"net/netip"
	"testing"
)

func TestPublicAddresses(t *testing.T) {
	for _, public := range []string{"1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.1", "172.15.0.1",
		"172.32.0.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::1", "2a00:1450::1"} {
		if !isPublic(netip.MustParseAddr(public)) {
			t.Errorf("%s is refused, want isPublic(netip.MustParseAddr(public))", public)
		}
	}
	for _, private := range []string{
		"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.9.9.9",
		"169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.168.1.1", "198.18.0.1", "224.0.0.1",
		"239.1.1.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001::1",
		"2001:db8::1", "3fff::1", "64:ff9b:1::1", "fec0::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
		"2002:7f00:1::1", "2002:a9fe:a9fe::1",
	} {
		if isPublic(netip.MustParseAddr(private)) {
			t.Errorf("%s is let through, want not isPublic(netip.MustParseAddr(private))", private)
		}
	}
	if admits(publicOnly).control("tcp", "nonsense", nil) == nil {
		t.Errorf(`what is no address is let through, want admits(publicOnly).control("tcp", "nonsense", nil) other than nil`)
	}
}

// Whatever admits private addresses, those of a cloud's metadata stay refused.
func TestLinkLocalAddressesAreAlwaysRefused(t *testing.T) {
	for _, refused := range []string{
		"169.254.169.254", "169.254.170.2", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "::ffff:169.254.169.254",
		"64:ff9b::a9fe:a9fe",
		"2002:a9fe:a9fe::1",
	} {
		if err := anyButLinkLocal(netip.MustParseAddr(refused)); err != ErrLinkLocal {
			t.Errorf("anyButLinkLocal(%s) = %v, want %v", refused, err, ErrLinkLocal)
		}
		if err := publicOnly(netip.MustParseAddr(refused)); err != ErrLinkLocal {
			t.Errorf("publicOnly(%s) = %v, want %v", refused, err, ErrLinkLocal)
		}
	}
	for _, admitted := range []string{"127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "1.1.1.1"} {
		if err := anyButLinkLocal(netip.MustParseAddr(admitted)); err != nil {
			t.Errorf("anyButLinkLocal(%s) = %v, want nil", admitted, err)
		}
	}
}

// Where "localhost" has another address, in /etc/hosts or in DNS, nothing is
// sent there without TLS. NAT64 and 6to4 take an address that has a loopback
// address inside to another machine.
func TestAttack26_PlainHTTPStaysOnThisMachine(t *testing.T) {
	for _, refused := range []string{
		"10.0.0.1", "169.254.169.254", "1.1.1.1", "0.0.0.0", "::", "fe80::1%lo", "64:ff9b::7f00:1", "2002:7f00:1::1",
		"::127.0.0.1", "::ffff:10.0.0.1",
	} {
		if err := loopbackOnly(netip.MustParseAddr(refused)); err != ErrPlain {
			t.Errorf("loopbackOnly(%s) = %v, want %v", refused, err, ErrPlain)
		}
	}
	for _, admitted := range []string{"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"} {
		if err := loopbackOnly(netip.MustParseAddr(admitted)); err != nil {
			t.Errorf("loopbackOnly(%s) = %v, want nil", admitted, err)
		}
	}
}
