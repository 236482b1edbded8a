// Package outbound makes the HTTP client that carries secrets to providers: what it speaks, and where it goes.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	dialTimeout   = 5 * time.Second // TCP and TLS together
	headerTimeout = 10 * time.Second
	// longest bounds a request whose context does not.
	longest = 30 * time.Second
	// idleTimeout is short: a frozen function's connections die unnoticed, and renewals come in bunches.
	idleTimeout = 15 * time.Second
	// idlePerHost is as many as rotate renews at once at one provider.
	idlePerHost       = 32
	longestHeader     = 64 << 10 // bytes
	resumableSessions = 64
)

// Config is what can be chosen about a client. The zero value is right for the internet.
type Config struct {
	// AllowPrivate admits loopback, private and other addresses that are not the
	// public internet's, link-local ones excepted. false: a name that has such an
	// address is refused, and so is each connection to one.
	AllowPrivate bool
	// Proxy is an http proxy to tunnel through, with host and port. Which addresses may be reached is then its business, and AllowPrivate is not looked at. nil: none; the environment is never asked.
	Proxy *url.URL
	// Roots are the certificate authorities trusted. nil: the system's.
	Roots *x509.CertPool
	// Route gives the address to dial in place of "host:port", and whether there is one; it may be loopback, whatever AllowPrivate says. The certificate is still verified against the name that was asked for. For development. nil: none.
	Route func(hostport string) (address string, ok bool)
}

// NewClient makes a client fit to carry secrets: https only, TLS 1.2 or newer with verification, HTTP/1.1, no redirects, no cookies, no proxy from the environment, no compression, bounded headers and times, and public addresses only. A request that is given up leaves nothing running, not even a handshake. It is safe for concurrent use; make one per process.
func NewClient(cfg Config) *http.Client {
	secure := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.Roots, ClientSessionCache: tls.NewLRUClientSessionCache(resumableSessions)}
	return &http.Client{
		Transport:     newCarrier(cfg, secure),
		Timeout:       longest,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// carrier is a transport that speaks nothing but https.
type carrier struct {
	*http.Transport
	cfg    Config
	secure *tls.Config
}

func newCarrier(cfg Config, secure *tls.Config) *carrier {
	c := &carrier{cfg: cfg, secure: secure}
	var protocols http.Protocols
	protocols.SetHTTP1(true) // HTTP/2 would put all requests to a host on one connection, and hang with it
	c.Transport = &http.Transport{
		DialTLSContext:         c.dialTLS,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: longestHeader,
		DisableCompression:     true,
		Protocols:              &protocols,
	}
	return c
}

// requestKey is where RoundTrip leaves a request's context for dialTLS: net/http hands it one that is not canceled with the request.
type requestKey struct{}

// RoundTrip is http.RoundTripper's.
func (c *carrier) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper always closes it
		}
		return nil, errors.New("only https is spoken")
	}
	ctx := req.Context()
	return c.Transport.RoundTrip(req.WithContext(context.WithValue(ctx, requestKey{}, ctx)))
}

// dialTLS makes a connection, and ends with the request that it is made for.
func (c *carrier) dialTLS(ctx context.Context, network, hostport string) (net.Conn, error) {
	if request, ok := ctx.Value(requestKey{}).(context.Context); ok {
		ctx = request
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := c.dial(ctx, network, hostport)
	if err != nil {
		return nil, err
	}
	secure := c.secure.Clone()
	secure.ServerName, _, _ = net.SplitHostPort(hostport)
	over := tls.Client(conn, secure)
	if err := over.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return over, nil
}

// dial goes where the routes point, or to addresses that are admitted.
func (c *carrier) dial(ctx context.Context, network, hostport string) (net.Conn, error) {
	routed := false
	if c.cfg.Route != nil {
		var address string
		if address, routed = c.cfg.Route(hostport); routed {
			hostport = address
		}
	}
	if c.cfg.Proxy != nil {
		return connect(ctx, &net.Dialer{}, c.cfg.Proxy, hostport)
	}
	if routed {
		return new(net.Dialer).DialContext(ctx, network, hostport)
	}
	check := admits(publicOnly)
	if c.cfg.AllowPrivate {
		check = anyButLinkLocal
	}
	if err := check.checkName(ctx, hostport); err != nil {
		return nil, err
	}
	return (&net.Dialer{Control: check.control}).DialContext(ctx, network, hostport)
}

// Alone is a RoundTripper that goes the same ways as rt, makes a connection for each request, and keeps none. With a certificate it shows that to each server, and resumes no session, which would be somebody else's. false: rt is neither of this package nor an http.Transport.
func Alone(rt http.RoundTripper, cert *tls.Certificate) (http.RoundTripper, bool) {
	switch t := rt.(type) {
	case *carrier:
		return t.alone(cert), true
	case *http.Transport:
		return alone(t, cert), true
	}
	return nil, false
}

// Announces says whether rt tells an httptrace when it has a connection.
func Announces(rt http.RoundTripper) bool {
	switch rt.(type) {
	case *carrier, *http.Transport:
		return true
	}
	return false
}

func (c *carrier) alone(cert *tls.Certificate) *carrier {
	secure := c.secure.Clone()
	if cert != nil {
		show(secure, cert)
	}
	single := newCarrier(c.cfg, secure)
	single.DisableKeepAlives = true
	return single
}

func alone(shared *http.Transport, cert *tls.Certificate) *http.Transport {
	t := shared.Clone()
	t.DisableKeepAlives = true
	if cert == nil {
		return t
	}
	if t.TLSClientConfig == nil {
		t.TLSClientConfig = new(tls.Config)
	}
	show(t.TLSClientConfig, cert)
	return t
}

// show has a client certificate shown to each server that asks for one. A server may name authorities, and by itself crypto/tls then shows none of another: but one that signs itself is known to its provider without (RFC 8705 §2.2).
func show(over *tls.Config, cert *tls.Certificate) {
	over.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	over.ClientSessionCache = nil
}
