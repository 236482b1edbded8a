package secret

import (
	"crypto"
	"crypto/tls"

	"github.com/tokenvend/tokenvend/pkg/privatekey"
)

// keys takes private_key and certificate. The certificate's key is the private
// key.
func (f *form) keys() (crypto.Signer, *tls.Certificate) {
	chain, text := f.lines("certificate"), f.lines("private_key")
	key, ok := privatekey.Parse(text)
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
