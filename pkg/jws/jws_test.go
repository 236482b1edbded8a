package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

var url64 = base64.RawURLEncoding

func decode(t *testing.T, text string) []byte {
	t.Helper()
	data, err := url64.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The text, the key and the signature of RFC 7515 §A.1.
func TestSignatureOfRFC7515(t *testing.T) {
	const text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0" +
		"dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	const key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	const want = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	got, err := Key{Secret: redact.New(string(decode(t, key)))}.sign(HS256, []byte(text))
	if err != nil || url64.EncodeToString(got) != want {
		t.Errorf("sign(HS256) = %s, %v, want %s", url64.EncodeToString(got), err, want)
	}
}

// The text, the key and the signature of RFC 8037 §A.4.
func TestSignatureOfRFC8037(t *testing.T) {
	const text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
	const want = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"
	key := ed25519.NewKeyFromSeed(decode(t, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"))
	got, err := Key{Signer: key}.sign(EdDSA, []byte(text))
	if err != nil || url64.EncodeToString(got) != want {
		t.Errorf("sign(EdDSA) = %s, %v, want %s", url64.EncodeToString(got), err, want)
	}
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func ecKey(t *testing.T, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// Each algorithm is verified by what the standard library says of it, not by
// this package's table.
func TestSign(t *testing.T) {
	withRSA := rsaKey(t, 2048)
	pkcs := func(hash crypto.Hash) func(digest, signature []byte) bool {
		return func(digest, signature []byte) bool {
			return rsa.VerifyPKCS1v15(&withRSA.PublicKey, hash, digest, signature) == nil
		}
	}
	pss := func(hash crypto.Hash) func(digest, signature []byte) bool {
		return func(digest, signature []byte) bool {
			same := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}
			return rsa.VerifyPSS(&withRSA.PublicKey, hash, digest, signature, same) == nil
		}
	}
	p256, p384, p521 := ecKey(t, elliptic.P256()), ecKey(t, elliptic.P384()), ecKey(t, elliptic.P521())
	curve := func(key *ecdsa.PrivateKey, width int) func(digest, signature []byte) bool {
		return func(digest, signature []byte) bool {
			if len(signature) != 2*width {
				return false
			}
			r, s := new(big.Int).SetBytes(signature[:width]), new(big.Int).SetBytes(signature[width:])
			return ecdsa.Verify(&key.PublicKey, digest, r, s)
		}
	}
	for _, c := range []struct {
		want   Algorithm
		asked  Algorithm
		key    crypto.Signer
		hash   crypto.Hash
		verify func(digest, signature []byte) bool
	}{
		{"RS256", "", withRSA, crypto.SHA256, pkcs(crypto.SHA256)},
		{"RS256", "RS256", withRSA, crypto.SHA256, pkcs(crypto.SHA256)},
		{"RS384", "RS384", withRSA, crypto.SHA384, pkcs(crypto.SHA384)},
		{"RS512", "RS512", withRSA, crypto.SHA512, pkcs(crypto.SHA512)},
		{"PS256", "PS256", withRSA, crypto.SHA256, pss(crypto.SHA256)},
		{"PS384", "PS384", withRSA, crypto.SHA384, pss(crypto.SHA384)},
		{"PS512", "PS512", withRSA, crypto.SHA512, pss(crypto.SHA512)},
		{"ES256", "", p256, crypto.SHA256, curve(p256, 32)},
		{"ES384", "", p384, crypto.SHA384, curve(p384, 48)},
		{"ES512", "ES512", p521, crypto.SHA512, curve(p521, 66)},
	} {
		t.Run(string(c.want)+"/"+string(c.asked), func(t *testing.T) {
			claims := map[string]any{"iss": "client", "exp": 1300819380, "left_out": nil}
			got, err := Sign(Key{Signer: c.key}, c.asked, map[string]any{"kid": "k1"}, claims)
			if err != nil {
				t.Fatalf("Sign(%s) failed: %v", c.asked, err)
			}
			parts := strings.Split(got, ".")
			if len(parts) != 3 {
				t.Fatalf("Sign(%s) has %d parts, want 3", c.asked, len(parts))
			}
			wantHeader := map[string]any{"alg": string(c.want), "typ": "JWT", "kid": "k1"}
			if header := object(t, parts[0]); !reflect.DeepEqual(header, wantHeader) {
				t.Errorf("the header is %v, want %v", header, wantHeader)
			}
			wantClaims := map[string]any{"iss": "client", "exp": 1300819380.0}
			if claims := object(t, parts[1]); !reflect.DeepEqual(claims, wantClaims) {
				t.Errorf("the claims are %v, want %v", claims, wantClaims)
			}
			h := c.hash.New()
			h.Write([]byte(parts[0] + "." + parts[1]))
			if !c.verify(h.Sum(nil), decode(t, parts[2])) {
				t.Errorf("Sign(%s): the signature is not valid", c.want)
			}
		})
	}
}

func object(t *testing.T, part string) map[string]any {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal(decode(t, part), &members); err != nil {
		t.Fatal(err)
	}
	return members
}

func TestSignRefusesKeysThatDoNotFit(t *testing.T) {
	long, p256 := rsaKey(t, 2048), ecKey(t, elliptic.P256())
	for name, c := range map[string]struct {
		key  Key
		alg  Algorithm
		want string
	}{
		"no key":                  {Key{}, "", "private key"},
		"no key, HS256":           {Key{}, HS256, "secret"},
		"a secret for RS256":      {Key{Secret: redact.New("s")}, RS256, "private key"},
		"a secret, no algorithm":  {Key{Secret: redact.New("s")}, "", "HS256"},
		"a private key for HS256": {Key{Signer: p256}, HS256, "key"},
		"P-256 for ES384":         {Key{Signer: p256}, ES384, "P-384"},
		"P-256 for RS256":         {Key{Signer: p256}, RS256, "RSA"},
		"RSA for ES256":           {Key{Signer: long}, ES256, "P-256"},
		"RSA for EdDSA":           {Key{Signer: long}, EdDSA, "Ed25519"},
		"P-224":                   {Key{Signer: ecKey(t, elliptic.P224())}, "", "P-256, P-384 or P-521"},
		"short RSA":               {Key{Signer: rsaKey(t, 1024)}, RS256, "2048"},
		"an unknown algorithm":    {Key{Signer: long}, "none", "RSA"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Sign(c.key, c.alg, nil, map[string]any{"iss": "x"})
			if err == nil || !strings.Contains(err.Error(), c.want) || got != "" {
				t.Errorf("Sign(%s) = %q, %v, want an error with %q", c.alg, got, err, c.want)
			}
		})
	}
}

func TestSignByAKeyInAService(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	remote := func(alg Algorithm, digest []byte) ([]byte, error) {
		if alg != ES256 || len(digest) != sha256.Size {
			t.Errorf("Remote(%s, %d bytes), want ES256 and %d bytes", alg, len(digest), sha256.Size)
		}
		return key.Sign(rand.Reader, digest, crypto.SHA256)
	}
	got, err := Sign(Key{Remote: remote}, ES256, nil, map[string]any{"iss": "client"})
	if err != nil {
		t.Fatal(err)
	}
	text, last, _ := strings.Cut(got, ".")
	payload, last, _ := strings.Cut(last, ".")
	signature, digest := decode(t, last), sha256.Sum256([]byte(text+"."+payload))
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(&key.PublicKey, digest[:], r, s) {
		t.Errorf("Sign() = %s, want a valid signature", got)
	}
	refused := errors.New("AccessDeniedException")
	for _, alg := range []Algorithm{"", EdDSA, HS256, "none", RS256} {
		_, err := Sign(Key{Remote: func(Algorithm, []byte) ([]byte, error) { return nil, refused }}, alg, nil, nil)
		if isRefusal := errors.Is(err, refused); err == nil || isRefusal != (alg == RS256) {
			t.Errorf("Sign(%q) by a service = %v, want the service's error for RS256 alone", alg, err)
		}
	}
}

// A signer outside, such as a service, may answer anything.
func TestSignRefusesWhatIsNoSignature(t *testing.T) {
	key := ecKey(t, elliptic.P256())
	for name, der := range map[string]string{
		"nothing": "", "no ASN.1": "00", "a byte after it": "300602010102010100",
		"zero":     "3006020100020101",
		"negative": "30060201ff020101",
		"too long": "3026022100" + strings.Repeat("ff", 33) + "020101",
	} {
		t.Run(name, func(t *testing.T) {
			answer, err := hex.DecodeString(der)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Sign(Key{Signer: service{key, answer}}, "", nil, nil); err == nil {
				t.Errorf("Sign() = %q, want an error", got)
			}
		})
	}
}

type service struct {
	*ecdsa.PrivateKey
	answer []byte
}

func (s service) Sign(_ io.Reader, _ []byte, _ crypto.SignerOpts) ([]byte, error) {
	return s.answer, nil
}

func TestCertificateMember(t *testing.T) {
	chain := [][]byte{[]byte("first"), []byte("second")}
	byOne, byTwoFiftySix := sha1.Sum(chain[0]), sha256.Sum256(chain[0])
	for name, want := range map[string]any{
		X5C:     []string{base64.StdEncoding.EncodeToString(chain[0]), base64.StdEncoding.EncodeToString(chain[1])},
		X5T:     url64.EncodeToString(byOne[:]),
		X5TS256: url64.EncodeToString(byTwoFiftySix[:]),
		"x5u":   nil,
	} {
		if got := CertificateMember(name, chain); !reflect.DeepEqual(got, want) {
			t.Errorf("CertificateMember(%s) = %v, want %v", name, got, want)
		}
	}
	if got := CertificateMember(X5T, nil); got != nil {
		t.Errorf("CertificateMember(x5t) of no chain = %v, want nil", got)
	}
}
