package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"time"
)

// The files of the private CA.
const (
	caFile  = "ca.pem"
	keyFile = "ca-key.pem"
)

// authority is a private CA.
type authority struct {
	certificate *x509.Certificate
	key         any
}

// openAuthority opens the CA of a folder, or makes one there.
func openAuthority(folder string) (authority, error) {
	certificate, key := filepath.Join(folder, caFile), filepath.Join(folder, keyFile)
	if _, err := os.Stat(key); os.IsNotExist(err) {
		if err := makeAuthority(folder, certificate, key); err != nil {
			return authority{}, err
		}
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	return authority{pair.Leaf, pair.PrivateKey}, err
}

func makeAuthority(folder, certificateFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := valid("CA of the tutorial", 365*24*time.Hour)
	template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := writePEM(certificateFile, "CERTIFICATE", certificate); err != nil {
		return err
	}
	return writePEM(keyFile, "PRIVATE KEY", encoded)
}

// issue returns a certificate for a host name, with a new key.
func (a authority) issue(host string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := valid(host, 30*24*time.Hour)
	template.DNSNames = []string{host}
	certificate, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{certificate}, PrivateKey: key}, err
}

// valid returns the template of a certificate.
func valid(name string, lifetime time.Duration) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Minute),
		NotAfter:  now.Add(lifetime),
	}
}

func writePEM(file, kind string, der []byte) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
