package credential

import (
	"crypto"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// minRSA is the minimum length of an RSA key in bits.
const minRSA = 2048

// keys takes private_key and certificate. The certificate's key is the private
// key.
func (f *form) keys() (crypto.Signer, *tls.Certificate) {
	chain, text := f.lines("certificate"), f.lines("private_key")
	key, ok := parseKey(text)
	if text != "" && !ok {
		f.wrong(
			"private_key", "a private key in PEM, not encrypted: PKCS#8, PKCS#1 or SEC1; RSA with 2048 bits or more",
		)
	}
	if chain == "" {
		return key, nil
	}
	if text == "" {
		f.wrong("private_key", "required beside a certificate")
	}
	if key == nil {
		return nil, &tls.Certificate{} // only private_key is wrong
	}
	pair, err := tls.X509KeyPair([]byte(chain), []byte(text))
	if err != nil {
		f.wrong("certificate", "certificates in PEM, the first of which belongs to private_key")
		return key, nil
	}
	pair.PrivateKey = key
	return key, &pair
}

// parseKey parses the first private key in PEM. It skips preceding blocks, such
// as elliptic curve parameters.
func parseKey(text string) (crypto.Signer, bool) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		signer, ok := key.(crypto.Signer)
		if err != nil || !ok || isShort(signer) {
			return nil, false
		}
		return hidden{func() crypto.Signer { return signer }}, true
	}
	return nil, false
}

func isShort(key crypto.Signer) bool {
	public, ok := key.Public().(*rsa.PublicKey)
	return ok && public.N.BitLen() < minRSA
}

// hidden is a private key that cannot be printed: the standard library's types
// have exported numbers. Behind a function, reflection finds only an address.
type hidden struct {
	signer func() crypto.Signer
}

func (h hidden) Public() crypto.PublicKey { return h.signer().Public() }

func (h hidden) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return h.signer().Sign(random, digest, opts)
}

func (hidden) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redact.Mask) }

func (hidden) MarshalText() ([]byte, error) { return []byte(redact.Mask), nil }

func (hidden) LogValue() slog.Value { return slog.StringValue(redact.Mask) }
