package simulator

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/loopback"
)

// listener serves the five hosts on one loopback port.
type listener struct {
	mu      sync.Mutex
	running *running // nil: not listening
}

type running struct {
	addr   string
	root   []byte // PEM
	server *http.Server
	stop   context.CancelFunc
	all    sync.WaitGroup // the accept loop and every connection
}

// ListenTLS serves the five hosts over HTTP/1.1 on addr, which must be a
// loopback address ("127.0.0.1:0"), with a certificate of a new authority. It
// returns once connections are accepted. After [Simulator.Close] it may be
// called again.
func (s *Simulator) ListenTLS(addr string) error {
	s.tls.mu.Lock()
	defer s.tls.mu.Unlock()
	if s.tls.running != nil {
		return errors.New("simulator: already listening")
	}
	if host, _, err := net.SplitHostPort(addr); err != nil || !loopback.IsHost(host) {
		return fmt.Errorf("simulator: %q is no loopback address with a port", addr)
	}
	root, leaf, err := newAuthority(slices.Sorted(maps.Keys(s.hosts)))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s.tls.running = s.run(l, root, leaf)
	return nil
}

func (s *Simulator) run(l net.Listener, root []byte, leaf tls.Certificate) *running {
	ctx, stop := context.WithCancel(context.Background())
	r := &running{addr: l.Addr().String(), root: root, stop: stop}
	r.server = &http.Server{
		Handler:           s,
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{leaf}, GetConfigForClient: s.hello},
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnState:         func(c net.Conn, state http.ConnState) { r.track(ctx, c, state) },
		Protocols:         &http.Protocols{},
	}
	r.server.Protocols.SetHTTP1(true) // with HTTP/2, a closed connection would end other requests too
	r.all.Go(func() { _ = r.server.ServeTLS(l, "", "") })
	return r
}

// track counts connections. One that is accepted while the server closes would
// not be closed by it.
func (r *running) track(ctx context.Context, c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		r.all.Add(1)
		if ctx.Err() != nil {
			_ = c.Close()
		}
	case http.StateClosed:
		r.all.Done()
	}
}

// hello resets the connection if the fault Down applies to every request.
func (s *Simulator) hello(h *tls.ClientHelloInfo) (*tls.Config, error) {
	p := s.hosts[strings.ToLower(h.ServerName)]
	if p == nil || !p.refuses() {
		return nil, nil
	}
	// before the client can notice
	s.log.add(Event{Time: time.Now(), Provider: p.name, Kind: kindOther, Outcome: "refused"})
	if tcp, ok := h.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = h.Conn.Close()
	return nil, errRefused
}

// refuses reports whether the connection is refused, and counts it as a request
// that the fault applied to.
func (p *provider) refuses() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fault.Down && p.fault.Only == "" && p.takeFault(kindOther).Down
}

// Close stops listening, closes all connections, and returns when all
// goroutines have ended. Without a listener it does nothing.
func (s *Simulator) Close() error {
	s.tls.mu.Lock()
	defer s.tls.mu.Unlock()
	r := s.tls.running
	if r == nil {
		return nil
	}
	s.tls.running = nil
	r.stop()
	err := r.server.Close()
	r.all.Wait()
	return err
}

func (s *Simulator) listening() *running {
	s.tls.mu.Lock()
	defer s.tls.mu.Unlock()
	if s.tls.running == nil {
		return &running{}
	}
	return s.tls.running
}

// Roots returns the certificate authority to trust; nil while nothing listens.
func (s *Simulator) Roots() *x509.CertPool {
	root := s.RootPEM()
	if root == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(root)
	return pool
}

// RootPEM returns the authority's certificate, for processes that read
// SSL_CERT_FILE; nil while nothing listens.
func (s *Simulator) RootPEM() []byte { return s.listening().root }

// Addr returns the address of the TLS server; "" while nothing listens.
func (s *Simulator) Addr() string { return s.listening().addr }

// Route returns the address to dial in place of hostport. ok is false if
// hostport is none of the five hosts at port 443, or nothing listens.
func (s *Simulator) Route(hostport string) (addr string, ok bool) {
	host, port, err := net.SplitHostPort(hostport)
	addr = s.Addr()
	if err != nil || port != "443" || s.hosts[strings.ToLower(host)] == nil || addr == "" {
		return "", false
	}
	return addr, true
}

// newAuthority returns a new certificate authority and a certificate that it
// signed. The key of the authority is not kept.
func newAuthority(hosts []string) (rootPEM []byte, leaf tls.Certificate, err error) {
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tokenvend simulator, not to be trusted elsewhere"},
		NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLenZero: true,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "tokenvend simulator"}, DNSNames: hosts,
		NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	caKey, err1 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(err1, err2); err != nil {
		return nil, tls.Certificate{}, err
	}
	caDER, err1 := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	leafDER, err2 := x509.CreateCertificate(rand.Reader, server, ca, &leafKey.PublicKey, caKey)
	if err := errors.Join(err1, err2); err != nil {
		return nil, tls.Certificate{}, err
	}
	rootPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
	return rootPEM, tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: leafKey}, nil
}
