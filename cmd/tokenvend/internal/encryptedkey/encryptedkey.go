// Package encryptedkey decrypts private keys in PEM: PKCS #8 with PBES2 (RFC
// 8018), and the encryption of PEM itself (RFC 1423).
package encryptedkey

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
)

// pkcs8Label is the label of an EncryptedPrivateKeyInfo (RFC 7468 §11).
const pkcs8Label = "ENCRYPTED PRIVATE KEY"

// Find returns the first private key of a text in PEM if it is encrypted, else
// nil.
func Find(text string) *pem.Block {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case !strings.HasSuffix(block.Type, "PRIVATE KEY"):
			continue
		case block.Type == pkcs8Label, hasRFC1423(block):
			return block
		}
		return nil
	}
	return nil
}

func hasRFC1423(block *pem.Block) bool {
	//lint:ignore SA1019 it is read alone, and never written
	return x509.IsEncryptedPEMBlock(block)
}

// Decrypt returns an encrypted private key in PEM, not encrypted. Its errors
// are [ErrPassphrase] and [ErrUnsupported].
func Decrypt(block *pem.Block, passphrase string) (string, error) {
	label, decrypt := block.Type, decryptRFC1423
	if block.Type == pkcs8Label {
		label = "PRIVATE KEY"
		decrypt = func(b *pem.Block, passphrase string) ([]byte, error) { return decryptPBES2(b.Bytes, passphrase) }
	}
	der, err := decrypt(block, passphrase)
	if err != nil {
		return "", err
	}
	if !isKey(label, der) {
		return "", ErrPassphrase
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})), nil
}

func decryptRFC1423(block *pem.Block, passphrase string) ([]byte, error) {
	//lint:ignore SA1019 it is read alone, and never written
	der, err := x509.DecryptPEMBlock(block, []byte(passphrase))
	switch {
	case errors.Is(err, x509.IncorrectPasswordError):
		return nil, ErrPassphrase
	case err != nil:
		return nil, ErrUnsupported
	}
	return der, nil
}

// isKey reports whether bytes are a key: a wrong passphrase can yield bytes
// that are none.
func isKey(label string, der []byte) bool {
	var err error
	switch label {
	case "RSA PRIVATE KEY":
		_, err = x509.ParsePKCS1PrivateKey(der)
	case "EC PRIVATE KEY":
		_, err = x509.ParseECPrivateKey(der)
	default:
		_, err = x509.ParsePKCS8PrivateKey(der)
	}
	return err == nil
}
