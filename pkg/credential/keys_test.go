package credential_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/credential"
)

func armour(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return armour("PRIVATE KEY", der)
}

func sec1(t testing.TB, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return armour("EC PRIVATE KEY", der)
}

func newEC(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rsaKey is shared by the tests, because generating it is slow.
var rsaKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func certify(t testing.TB, key crypto.Signer) string {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now(),
		NotAfter:     time.Now().Add(time.Hour),
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return armour("CERTIFICATE", der)
}

var (
	jwt  = with(object{"auth": "private_key_jwt"}).with(object{"client_secret": nil, "key_id": "k1"})
	mtls = with(object{"auth": "tls"}).with(object{"client_secret": nil})
)

func TestKeysInEachForm(t *testing.T) {
	ec := newEC(t, elliptic.P256())
	for name, text := range map[string]string{
		"PKCS#8, P-256":    pkcs8(t, ec),
		"SEC1":             sec1(t, ec),
		"SEC1, parameters": armour("EC PARAMETERS", []byte{6, 8, 42, 134, 72, 206, 61, 3, 1, 7}) + sec1(t, ec),
		"PKCS#8, RSA":      pkcs8(t, rsaKey()),
		"PKCS#1":           armour("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey())),
	} {
		c := mustParse(t, jwt.with(object{"private_key": text}))
		digest := sha256.Sum256([]byte("text"))
		signature, err := c.Client.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
		if err != nil || c.KeyID != "k1" {
			t.Fatalf(`%s: %v, want no error and c.KeyID = "k1"`, name, err)
		}
		switch public := c.Client.Key.Public().(type) {
		case *ecdsa.PublicKey:
			if !ecdsa.VerifyASN1(public, digest[:], signature) {
				t.Errorf("%s: signs wrongly, want ecdsa.VerifyASN1(public, digest[:], signature)", name)
			}
		case *rsa.PublicKey:
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		default:
			t.Errorf("%s: a %T", name, public)
		}
	}
}

func TestFault49_KeysThatDoNotFit(t *testing.T) {
	ec, other, p384 := newEC(t, elliptic.P256()), newEC(t, elliptic.P256()), newEC(t, elliptic.P384())
	p224 := newEC(t, elliptic.P224())
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	es256 := with(object{
		"auth": "private_key_jwt", "algorithm": "ES256",
	}).with(object{"client_secret": nil, "key_id": "k1"})
	rs256 := with(object{
		"auth": "private_key_jwt", "algorithm": "RS256",
	}).with(object{"client_secret": nil, "key_id": "k1"})
	for _, c := range []struct {
		name   string
		secret object
		wrong  string
	}{
		{"no key", jwt, "private_key"},
		{"no key and no id", jwt.with(object{"key_id": nil, "private_key": nil}), "private_key"},
		{"a key without an id", jwt.with(object{"key_id": nil, "private_key": pkcs8(t, ec)}), ""},
		{"not PEM", jwt.with(object{"private_key": canary}), "private_key"},
		{"PEM of something else", jwt.with(object{"private_key": armour("PUBLIC KEY", []byte(canary))}), "private_key"},
		{"PEM of rubbish", jwt.with(object{"private_key": armour("PRIVATE KEY", []byte(canary))}), "private_key"},
		{"encrypted", jwt.with(object{"private_key": armour("ENCRYPTED PRIVATE KEY", []byte(canary))}), "private_key"},
		{"another curve than that of ES256", es256.with(object{"private_key": pkcs8(t, p384)}), "private_key"},
		{"another kind than that of ES256", es256.with(object{"private_key": pkcs8(t, ed)}), "private_key"},
		{"P-384, no algorithm named", jwt.with(object{"private_key": pkcs8(t, p384)}), ""},
		{"Ed25519, no algorithm named", jwt.with(object{"private_key": pkcs8(t, ed)}), ""},
		{"a curve that no algorithm has", jwt.with(object{"private_key": pkcs8(t, p224)}), "private_key"},
		{"RSA for ES256", es256.with(object{"private_key": pkcs8(t, rsaKey())}), "private_key"},
		{"P-256 for RS256", rs256.with(object{"private_key": pkcs8(t, ec)}), "private_key"},
		{"P-256 for ES256", es256.with(object{"private_key": pkcs8(t, ec)}), ""},
		{"RSA for RS256", rs256.with(object{"private_key": pkcs8(t, rsaKey())}), ""},

		{
			"nobody uses them",
			plain.with(object{"private_key": pkcs8(t, ec), "certificate": certify(t, ec), "key_id": "k1"}),
			"certificate key_id private_key",
		},

		{"no certificate", mtls, "certificate private_key"},
		{"a certificate without its key", mtls.with(object{"certificate": certify(t, ec)}), "private_key"},
		{"a key without its certificate", mtls.with(object{"private_key": pkcs8(t, ec)}), "certificate"},
		{
			"another key's certificate",
			mtls.with(object{"private_key": pkcs8(t, ec), "certificate": certify(t, other)}), "certificate",
		},
		{
			"a certificate that is none", mtls.with(object{"private_key": pkcs8(t, ec), "certificate": canary}),
			"certificate",
		},
		{
			"a certificate of a key that is none",
			mtls.with(object{"private_key": canary, "certificate": certify(t, ec)}), "private_key",
		},
		{"Ed25519 for TLS", mtls.with(object{"private_key": pkcs8(t, ed), "certificate": certify(t, ed)}), ""},
		{"RSA for TLS", mtls.with(object{"private_key": pkcs8(t, rsaKey()), "certificate": certify(t, rsaKey())}), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parse(t, c.secret)
			if c.wrong == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if got := strings.Join(fields(t, err), " "); got != c.wrong {
				t.Errorf("named %s, want %s", got, c.wrong)
			}
		})
	}
}

func TestShortRSAIsRefused(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, err = parse(t, jwt.with(object{"private_key": pkcs8(t, key)}))
	if got := strings.Join(fields(t, err), " "); got != "private_key" {
		t.Errorf(`strings.Join(fields(t, err), " ") = %v, want "private_key"`, got)
	}
}

// The key of a certificate is hidden and still opens a TLS connection.
func TestACertificateServes(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, len(r.TLS.PeerCertificates))
	}))
	server.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	server.StartTLS()
	defer server.Close()
	for _, key := range []crypto.Signer{newEC(t, elliptic.P256()), rsaKey()} {
		c := mustParse(t, mtls.with(object{"private_key": pkcs8(t, key), "certificate": certify(t, key)}))
		client := server.Client()
		client.Transport.(*http.Transport).TLSClientConfig.Certificates = []tls.Certificate{*c.Certificate}
		response, err := client.Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(body) != "1" {
			t.Errorf(`the server saw %s certificates, want string(body) = "1"`, body)
		}
		client.CloseIdleConnections()
	}
}

// withKeys returns a secret with a value in every secret field.
func withKeys(t testing.TB) object {
	return object{
		"descriptor": object{
			"token":   object{"url": "https://id.example/token", "auth": "tls"},
			"refresh": object{"auth": "post"},
		},
		"client_id": "id", "client_secret": canary, "refresh_token": canary,
		"private_key": pkcs8(t, rsaKey()), "certificate": certify(t, rsaKey()),
	}
}

// digits returns the forms in which the private key of a credential could be
// printed.
func digits(t testing.TB, c credential.Credential) []string {
	t.Helper()
	if c.Client.Key == nil || c.Certificate == nil {
		t.Fatalf("no keys, want c.Client.Key other than nil and c.Certificate other than nil")
	}
	d := rsaKey().D
	array, _ := json.Marshal(d.Bytes()[:8])
	return []string{
		d.String()[:20], d.Text(16)[:20], hex.EncodeToString(d.Bytes()[:10]), strings.Trim(string(array), `"=`),
	}
}
