package local

import (
	"crypto/x509"
	"fmt"
	"os"

	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// outside says how providers are reached.
func (h *server) outside() outbound.Config {
	if h.demo != nil {
		return outbound.Config{Roots: h.demo.Roots(), Route: h.demo.Route}
	}
	return outbound.Config{AllowPrivate: h.AllowPrivate, Proxy: h.Proxy, Roots: h.roots}
}

// openCA reads the certificates that are trusted besides the system's.
func (h *server) openCA() error {
	if h.CA == "" {
		return nil
	}
	data, err := os.ReadFile(h.CA)
	if err != nil {
		return fmt.Errorf("--ca: %w", err)
	}
	if h.roots, err = x509.SystemCertPool(); err != nil {
		return fmt.Errorf("--ca: the system's certificates: %w", err)
	}
	if !h.roots.AppendCertsFromPEM(data) {
		return fmt.Errorf("--ca: %s holds no certificate in PEM", h.CA)
	}
	return nil
}

// opened lists what of [Config] opens the server further than it is by itself,
// as people read it at the start.
func (c Config) opened() []string {
	var all []string
	if c.AllowPrivate {
		all = append(all, "token endpoints may have private and loopback addresses (--allow-private)")
	}
	if c.CA != "" {
		all = append(all, "certificates of "+c.CA+" are trusted besides the system's (--ca)")
	}
	if c.Proxy != nil {
		all = append(all, "providers are reached through "+c.Proxy.Host+", which decides what may be reached (--proxy)")
	}
	return all
}
