package testbed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority is a certificate authority that only its [Authority.Roots] trust.
type Authority struct {
	Certificate string // PEM
	own         *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Pair is a certificate with its key, both PEM.
type Pair struct {
	Certificate, Key string
}

// NewAuthority returns an authority whose certificates are valid for a day.
func NewAuthority(t testing.TB) *Authority {
	t.Helper()
	a := &Authority{}
	template := a.template("authority " + rand.Text()) // a unique name, which servers send to clients
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	a.own = template
	pair, key := a.issue(t, template, nil)
	der, _ := pem.Decode([]byte(pair.Certificate))
	own, err := x509.ParseCertificate(der.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	a.Certificate, a.own, a.key = pair.Certificate, own, key
	return a
}

// Roots trusts the authority and no other.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.own)
	return pool
}

// Issue creates a certificate for a common name, for a server on 127.0.0.1 and
// localhost or for a client.
func (a *Authority) Issue(t testing.TB, name string) Pair {
	t.Helper()
	template := a.template(name)
	template.IPAddresses, template.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	pair, _ := a.issue(t, template, a.key)
	return pair
}

func (a *Authority) template(name string) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // cannot fail: the reader never does
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
}

// issue signs a template for a new key, with nil as the parent by that key
// itself.
func (a *Authority) issue(t testing.TB, template *x509.Certificate, by *ecdsa.PrivateKey) (Pair, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, a.own, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return Pair{inPEM("CERTIFICATE", certificate), inPEM("PRIVATE KEY", private)}, key
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}
