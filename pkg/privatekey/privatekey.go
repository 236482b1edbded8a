// Package privatekey reads private keys that cannot be printed.
package privatekey

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// minRSA is the minimum length of an RSA key in bits.
const minRSA = 2048

// Parse returns the first private key in a text in PEM. ok is false where there
// is none, or where it is encrypted or an RSA key of less than 2048 bits. Other
// blocks before it, such as elliptic curve parameters, are skipped.
func Parse(text string) (key crypto.Signer, ok bool) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		var parsed any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			parsed, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		signer, ok := parsed.(crypto.Signer)
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
