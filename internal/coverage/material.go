package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"sync"
	"time"
)

// material is a key of a client.
type material struct {
	signer crypto.Signer
	pem    map[string]string // by the words that stand for it in a credential
}

// The keys are made once, because that takes time.
var (
	rsaMaterial = sync.OnceValue(func() material {
		key := must(rsa.GenerateKey(rand.Reader, 2048))
		return material{key, map[string]string{
			"<RSA key, PKCS#8>": encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))),
			"<RSA key, PKCS#1>": encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key)),
			"<certificate>":     encode("CERTIFICATE", certify(key, []string{"client.test"}).Raw),
		}}
	})
	ecMaterial = sync.OnceValue(func() material {
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		return material{key, map[string]string{
			"<EC key, SEC1>": encode("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(key))),
		}}
	})
)

// must returns a value whose making fails only by a mistake of this program.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func encode(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// certify returns a certificate that signs itself.
func certify(key crypto.Signer, hosts []string) *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: hosts,
		NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
}
