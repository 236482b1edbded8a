//go:build testall

package bench_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// fronts are TLS proxies for servers without TLS. Their certificate chains are
// like those of AWS's endpoints: a leaf and an intermediate, RSA with 2048
// bits.
type fronts struct {
	root *x509.Certificate
	cert tls.Certificate
}

const keyBits = 2048

func newFronts(tb testing.TB) fronts {
	tb.Helper()
	rootKey, middleKey, leafKey := newKey(tb), newKey(tb), newKey(tb)
	root := issue(tb, template("root", true), nil, rootKey, rootKey)
	middle := issue(tb, template("intermediate", true), root, middleKey, rootKey)
	leafTemplate := template("leaf", false)
	leafTemplate.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	leaf := issue(tb, leafTemplate, middle, leafKey, middleKey)
	return fronts{root: root, cert: tls.Certificate{Certificate: [][]byte{leaf.Raw, middle.Raw}, PrivateKey: leafKey}}
}

func newKey(tb testing.TB) *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func template(name string, authority bool) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62)) // rand.Reader never fails
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "tokenvend bench " + name}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.Add(24 * time.Hour),
		IsCA:     authority, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
}

// issue signs a certificate; with parent nil it is self-signed.
func issue(tb testing.TB, c, parent *x509.Certificate, key, signer *rsa.PrivateKey) *x509.Certificate {
	tb.Helper()
	if parent == nil {
		parent = c
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return signed
}

// before starts a TLS proxy in front of a server and returns its address.
func (f fronts) before(tb testing.TB, server testbed.Endpoint) testbed.Endpoint {
	tb.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{f.cert},
		MinVersion:   tls.VersionTLS12,
		NextProtos:   []string{"http/1.1"},
	})
	if err != nil {
		tb.Fatal(err)
	}
	var all sync.WaitGroup
	var open sync.Map // of net.Conn
	tb.Cleanup(func() {
		_ = l.Close()
		open.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
		all.Wait()
	})
	all.Go(func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(here, nil)
			all.Go(func() { tunnel(here, strings.TrimPrefix(string(server), "http://")) })
		}
	})
	return testbed.Endpoint("https://" + l.Addr().String())
}

// tunnel copies one connection until either side closes it.
func tunnel(here net.Conn, address string) {
	defer here.Close()
	there, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer there.Close()
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(there, here); _ = there.Close() })
	both.Go(func() { _, _ = io.Copy(here, there); _ = here.Close() })
	both.Wait()
}

// systemRoots are the files of the machine's root certificates, as in a Lambda
// function.
var systemRoots = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
}

// bundle writes a file with the machine's root certificates, whose parsing is a
// part of every start, and these.
func (f fronts) bundle(tb testing.TB, more []byte) string {
	tb.Helper()
	var all []byte
	for _, file := range systemRoots {
		if text, err := os.ReadFile(file); err == nil {
			all = append(all, text...)
			break
		}
	}
	all = append(all, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.root.Raw})...)
	path := filepath.Join(tb.TempDir(), "roots.pem")
	if err := os.WriteFile(path, append(all, more...), 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}
