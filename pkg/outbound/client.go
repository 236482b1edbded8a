// Package outbound makes the HTTP client that carries secrets to providers. It
// limits the protocols of a connection, and the addresses that it may reach.
package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/tokenvend/tokenvend/pkg/loopback"
)

const (
	dialTimeout   = 5 * time.Second // TCP and TLS together
	headerTimeout = 10 * time.Second
	// maxTime bounds a request without a deadline of its own.
	maxTime = 30 * time.Second
	// idleTimeout is short: connections of a frozen function die unnoticed, and
	// renewals come in bursts.
	idleTimeout = 15 * time.Second
	// idlePerHost is the number of renewals that rotate runs at once at one
	// provider.
	idlePerHost       = 32
	resumableSessions = 64
)

// Config configures a client. The zero value is right for the internet.
type Config struct {
	// AllowPrivate admits loopback, private and other addresses that are not
	// the public internet's, link-local ones excepted. false: a name that has
	// such an address is refused, and so is each connection to one.
	AllowPrivate bool
	// PlainLoopback admits http, without TLS, to this machine: to "localhost"
	// and to loopback addresses. No proxy is used for it. It is for
	// development: in a Lambda function, the Runtime API listens on loopback.
	PlainLoopback bool
	// Proxy is an HTTP proxy to tunnel through, with host and port. The proxy
	// then decides which addresses may be reached, and AllowPrivate has no
	// effect. nil means none; the environment is not read.
	Proxy *url.URL
	// Roots are the trusted certificate authorities. nil means those of the
	// system.
	Roots *x509.CertPool
	// Route returns the address to dial in place of "host:port", and whether
	// there is one. It may be a loopback address without AllowPrivate. The
	// certificate is still verified against the requested name. It is for
	// development. nil means none.
	Route func(hostport string) (address string, ok bool)
	// Observe is called for each request whose response has begun, or which has
	// failed: then the response is nil. It must leave both as they are, and is
	// called by many goroutines. nil means nobody observes.
	Observe func(req *http.Request, began time.Time, res *http.Response)
}

// NewClient returns a client that may carry secrets: https alone (but see
// [Config.PlainLoopback]), TLS 1.2 or newer with verification, HTTP/1.1, no
// redirects, no cookies, no proxy from the environment, no compression, bounded
// headers and times, and public addresses alone. A canceled request leaves
// nothing running, not even a handshake. It is safe for concurrent use; make
// one per process.
func NewClient(cfg Config) *http.Client {
	secure := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		RootCAs:            cfg.Roots,
		ClientSessionCache: tls.NewLRUClientSessionCache(resumableSessions),
	}
	return &http.Client{
		Transport:     newTransport(cfg, secure),
		Timeout:       maxTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// transport is an http.Transport that accepts https alone.
type transport struct {
	*http.Transport
	cfg    Config
	secure *tls.Config
}

func newTransport(cfg Config, secure *tls.Config) *transport {
	c := &transport{cfg: cfg, secure: secure}
	var protocols http.Protocols
	// HTTP/2 would put all requests to a host on one connection, which may
	// hang.
	protocols.SetHTTP1(true)
	c.Transport = &http.Transport{
		DialTLSContext:         c.dialTLS,
		DialContext:            dialLoopback,
		ResponseHeaderTimeout:  headerTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		Protocols:              &protocols,
	}
	return c
}

// requestKey is the context key of a request's context. net/http gives dialTLS
// a context that is not canceled with the request.
type requestKey struct{}

// RoundTrip implements [http.RoundTripper].
func (c *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !c.admitsPlain(req.URL) {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper always closes it
		}
		return nil, ErrPlain
	}
	ctx := req.Context()
	sent := req.WithContext(context.WithValue(ctx, requestKey{}, ctx))
	if c.cfg.Observe == nil {
		return c.Transport.RoundTrip(sent)
	}
	began := time.Now()
	res, err := c.Transport.RoundTrip(sent)
	c.cfg.Observe(req, began, res)
	return res, err
}

// admitsPlain reports whether a request may be sent without TLS.
func (c *transport) admitsPlain(u *url.URL) bool {
	return c.cfg.PlainLoopback && u.Scheme == "http" && loopback.IsHost(u.Hostname())
}

// dialLoopback makes a connection without TLS, to this machine alone.
func dialLoopback(ctx context.Context, network, hostport string) (net.Conn, error) {
	check := admits(loopbackOnly)
	return (&net.Dialer{Timeout: dialTimeout, Control: check.control}).DialContext(ctx, network, hostport)
}

// dialTLS makes a connection. It stops with the request that it is made for.
func (c *transport) dialTLS(ctx context.Context, network, hostport string) (net.Conn, error) {
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
func (c *transport) dial(ctx context.Context, network, hostport string) (net.Conn, error) {
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

// SingleUse returns a RoundTripper that works like rt, with a connection of its
// own for each request. With a certificate, it shows that to each server and
// resumes no session, which could be another client's. ok is false where rt is
// neither of this package nor an http.Transport.
func SingleUse(rt http.RoundTripper, cert *tls.Certificate) (single http.RoundTripper, ok bool) {
	switch t := rt.(type) {
	case *transport:
		return t.alone(cert), true
	case *http.Transport:
		return alone(t, cert), true
	}
	return nil, false
}

// TracesConnections reports whether rt tells an httptrace when it has a
// connection.
func TracesConnections(rt http.RoundTripper) bool {
	switch rt.(type) {
	case *transport, *http.Transport:
		return true
	}
	return false
}

func (c *transport) alone(cert *tls.Certificate) *transport {
	secure := c.secure.Clone()
	if cert != nil {
		presentCertificate(secure, cert)
	}
	single := newTransport(c.cfg, secure)
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
	presentCertificate(t.TLSClientConfig, cert)
	return t
}

// presentCertificate presents a client certificate to each server that asks for
// one. A server may name authorities, and crypto/tls then presents no
// certificate of another one; but a provider knows a self-signed certificate
// without (RFC 8705 §2.2).
func presentCertificate(over *tls.Config, cert *tls.Certificate) {
	over.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	over.ClientSessionCache = nil
}
