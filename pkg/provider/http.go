package provider

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	dialTimeout   = 5 * time.Second
	headerTimeout = 10 * time.Second
	// longestExchange bounds a request whose context does not.
	longestExchange = 30 * time.Second
	// idleTimeout is short: a frozen function's connections die unnoticed, and renewals come in bunches.
	idleTimeout = 15 * time.Second
	// idlePerHost is one, so that a request that is sent again because a kept connection was dead is sent again once.
	idlePerHost       = 1
	longestHeader     = 64 << 10 // bytes
	resumableSessions = 64
)

// HTTPConfig is what can be chosen about the client of [NewHTTPClient]. The zero value is right for the internet.
type HTTPConfig struct {
	// AllowPrivate admits loopback, private, link-local and other addresses that are not the public internet's. false: they are refused, after the name was resolved and at each connection.
	AllowPrivate bool
	// Roots are the certificate authorities trusted. nil: the system's.
	Roots *x509.CertPool
	// Route gives the address to dial in place of "host:port", and whether there is one; it may be loopback, whatever AllowPrivate says. The certificate is still verified against the name that was asked for. For development. nil: none.
	Route func(hostport string) (address string, ok bool)
}

// NewHTTPClient makes a client fit to carry secrets: https only, TLS 1.2 or newer with verification, HTTP/1.1, no redirects, no cookies, no proxy from the environment, no compression, bounded headers and times, and public addresses only. It is safe for concurrent use; make one per process.
func NewHTTPClient(cfg HTTPConfig) *http.Client {
	var protocols http.Protocols
	protocols.SetHTTP1(true) // HTTP/2 would put all requests to a host on one connection, and hang with it
	transport := &http.Transport{
		DialContext:            cfg.dial(),
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots, ClientSessionCache: tls.NewLRUClientSessionCache(resumableSessions)},
		TLSHandshakeTimeout:    dialTimeout,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: longestHeader,
		DisableCompression:     true,
		Protocols:              &protocols,
	}
	return &http.Client{
		Transport:     &httpsOnly{transport},
		Timeout:       longestExchange,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// dial is how connections are made.
func (cfg HTTPConfig) dial() func(ctx context.Context, network, hostport string) (net.Conn, error) {
	open := net.Dialer{Timeout: dialTimeout}
	guarded := net.Dialer{Timeout: dialTimeout, Control: publicOnly}
	return func(ctx context.Context, network, hostport string) (net.Conn, error) {
		if cfg.Route != nil {
			if address, ok := cfg.Route(hostport); ok {
				return open.DialContext(ctx, network, address)
			}
		}
		if cfg.AllowPrivate {
			return open.DialContext(ctx, network, hostport)
		}
		return guarded.DialContext(ctx, network, hostport)
	}
}

// httpsOnly is a transport that speaks nothing but https.
type httpsOnly struct {
	*http.Transport
}

// RoundTrip is http.RoundTripper's.
func (t *httpsOnly) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper always closes it
		}
		return nil, errors.New("only https is spoken")
	}
	return t.Transport.RoundTrip(req)
}
