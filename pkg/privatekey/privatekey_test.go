package privatekey_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/privatekey"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// block returns a block in PEM.
func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// newKey returns a key and its encodings in SEC 1 and PKCS #8.
func newKey(t *testing.T) (key *ecdsa.PrivateKey, sec1, pkcs8 []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if sec1, err = x509.MarshalECPrivateKey(key); err != nil {
		t.Fatal(err)
	}
	if pkcs8, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
		t.Fatal(err)
	}
	return key, sec1, pkcs8
}

func TestParse(t *testing.T) {
	key, sec1, pkcs8 := newKey(t)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text string
		want bool
	}{
		"PKCS #8":                  {block("PRIVATE KEY", pkcs8), true},
		"SEC 1":                    {block("EC PRIVATE KEY", sec1), true},
		"parameters before":        {block("EC PARAMETERS", []byte{6}) + block("EC PRIVATE KEY", sec1), true},
		"text before":              {"a comment\n" + block("PRIVATE KEY", pkcs8), true},
		"nothing":                  {"", false},
		"no PEM":                   {"-----BEGIN", false},
		"a public key":             {block("PUBLIC KEY", pkcs8), false},
		"encrypted":                {block("ENCRYPTED PRIVATE KEY", pkcs8), false},
		"the wrong encoding":       {block("PRIVATE KEY", sec1), false},
		"the first of two damaged": {block("PRIVATE KEY", sec1) + block("PRIVATE KEY", pkcs8), false},
		"RSA of 1024 bits":         {block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(short)), false},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := privatekey.Parse(c.text)
			if ok != c.want || ok != (got != nil) {
				t.Fatalf("Parse(%.30q) = %v, %t, want a key: %t", c.text, got, ok, c.want)
			}
			if !ok {
				return
			}
			digest := sha256.Sum256([]byte("text"))
			signature, err := got.Sign(rand.Reader, digest[:], crypto.SHA256)
			if err != nil || !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
				t.Errorf("Sign() = %x, %v, want a signature of the key", signature, err)
			}
		})
	}
}

func TestKeyIsNotPrinted(t *testing.T) {
	secret, _, pkcs8 := newKey(t)
	key, _ := privatekey.Parse(block("PRIVATE KEY", pkcs8))
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		if got := fmt.Sprintf(format, key); got != redact.Mask {
			t.Errorf("Sprintf(%s) = %s, want %s", format, got, redact.Mask)
		}
	}
	raw, err := secret.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"%v", "%+v", "%#v", "%x", "%d"} {
		if got := fmt.Sprintf(format, struct{ Key any }{key}); strings.Contains(got, fmt.Sprintf("%x", raw)) {
			t.Errorf("Sprintf(%s) of a struct = %s, want no key", format, got)
		}
	}
	if got, err := json.Marshal(key); err != nil || string(got) != `"`+redact.Mask+`"` {
		t.Errorf("Marshal() = %s, %v, want %s", got, err, redact.Mask)
	}
}
