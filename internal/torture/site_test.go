package torture_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// The names of the endpoints. Contenders in Go are routed to loopback and can
// reach no other host; the others use the addresses.
const (
	login     = "login.test"
	elsewhere = "elsewhere.test"
)

// answer handles the n-th request to an endpoint, from 1.
type answer func(n int, w http.ResponseWriter, r *http.Request)

// site is a server on loopback that records all bytes of its clients, under TLS
// after decryption.
type site struct {
	*httptest.Server
	mu          sync.Mutex
	connections int
	requests    int
	forgotten   int // of the requests
	heard       bytes.Buffer
}

// serve starts a site. over is its TLS configuration, or nil for plain HTTP.
func serve(t *testing.T, over *tls.Config, says answer) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.requests++
		n := s.requests
		s.mu.Unlock()
		says(n, w, r)
	}))
	if over != nil {
		s.Listener = tls.NewListener(s.Listener, over)
	}
	s.Listener = &tap{s.Listener, s}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *site) address() string { return s.Listener.Addr().String() }

// asked returns how many requests arrived since forget.
func (s *site) asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests - s.forgotten
}

func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forgotten = s.requests
}

// reached returns how many connections and bytes arrived, and whether they
// contained the client secret.
func (s *site) reached() (connections, length int, secret bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections, s.heard.Len(), showsSecret(s.heard.String())
}

// tap is a site's listener.
type tap struct {
	net.Listener
	site *site
}

func (l *tap) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.site.mu.Lock()
	defer l.site.mu.Unlock()
	l.site.connections++
	return &tapped{c, l.site}, nil
}

type tapped struct {
	net.Conn
	site *site
}

func (c *tapped) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.site.mu.Lock()
	defer c.site.mu.Unlock()
	c.site.heard.Write(p[:n])
	return n, err
}

// The client of all contenders. The secret's characters are the same in every
// encoding but base64.
const (
	clientID     = "torture"
	clientSecret = "s3cretOfTheClient42"
)

// showsSecret reports whether text contains the client secret, plain or as in
// Basic authentication.
func showsSecret(text string) bool {
	return strings.Contains(text, clientSecret) ||
		strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret)))
}

// authority is a certificate for both names and for loopback, and a pool that
// trusts it.
type authority struct {
	over *tls.Config
	pool *x509.CertPool
	pem  []byte
}

// newAuthority creates a self-signed certificate.
func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: login}, // Java wants one
		DNSNames:    []string{login, elsewhere, "localhost"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{
		over: &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}},
		pool: x509.NewCertPool(),
		pem:  pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
	a.pool.AddCert(leaf)
	return a
}
