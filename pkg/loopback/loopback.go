// Package loopback reports which hosts are this machine: plain http is allowed
// there alone.
package loopback

import "net/netip"

// IsHost reports whether host, as [net/url.URL.Hostname] returns it, is
// "localhost" or a loopback address. It looks up no name.
func IsHost(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
