package secret

import (
	"crypto"
	"crypto/tls"

	"github.com/tokenvend/tokenvend/pkg/privatekey"
	"github.com/tokenvend/tokenvend/pkg/proof"
)

// keys takes private_key and certificate. The certificate's key is the private
// key, or one in the service that makes a proof.
func (f *form) keys(kind proof.Kind) (crypto.Signer, *tls.Certificate) {
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
	if text == "" && kind.Signs() {
		return nil, f.chain(chain)
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
