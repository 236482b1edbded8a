package awsproof_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/tokenvend/tokenvend/internal/standin"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/proof/awsproof"
)

// cloud is AWS by the stand-in, with a count of the requests.
type cloud struct {
	*standin.Account
	cfg   aws.Config
	calls atomic.Int64
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	server, c := &standin.Server{}, &cloud{}
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.calls.Add(1)
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(listener.Close)
	c.Account = server.Account("123456789012")
	c.cfg = aws.Config{
		Region: standin.Region, BaseEndpoint: aws.String(listener.URL),
		Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
	return c
}

func (c *cloud) prover(bindings ...proof.Binding) *proof.Prover {
	return &proof.Prover{
		Bindings:    bindings,
		SignDigest:  awsproof.SignDigest(kms.NewFromConfig(c.cfg)),
		WebIdentity: awsproof.WebIdentity(sts.NewFromConfig(c.cfg), jws.ES384),
	}
}

func TestAssertionSignedInKMS(t *testing.T) {
	for alg, spec := range map[jws.Algorithm]string{
		jws.RS256: "RSA_2048", jws.PS512: "RSA_2048", jws.ES256: "ECC_NIST_P256", jws.ES384: "ECC_NIST_P384",
	} {
		t.Run(string(alg), func(t *testing.T) {
			c := newCloud(t)
			arn, public, err := c.KMS.NewSigningKey(spec)
			if err != nil {
				t.Fatal(err)
			}
			p := c.prover(proof.Binding{Credential: "box", Kind: proof.KMS, Source: arn, Host: "api.box.com"})
			key, err := p.Key(t.Context(), "box", "api.box.com")
			if err != nil {
				t.Fatal(err)
			}
			signed, err := jws.Sign(key, alg, nil, map[string]any{"iss": "client"})
			if err != nil {
				t.Fatal(err)
			}
			if calls := c.calls.Load(); calls != 1 {
				t.Errorf("Sign() made %d calls of AWS, want 1", calls)
			}
			text, signature, _ := cutLast(signed)
			if !verifies(t, public, alg, text, signature) {
				t.Errorf("Sign(%s) = %s, want a valid signature", alg, signed)
			}
		})
	}
}

func cutLast(signed string) (text, signature string, ok bool) {
	i := strings.LastIndexByte(signed, '.')
	return signed[:max(i, 0)], signed[i+1:], i > 0
}

func verifies(t *testing.T, public crypto.PublicKey, alg jws.Algorithm, text, encoded string) bool {
	t.Helper()
	signature, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	hash := map[jws.Algorithm]crypto.Hash{jws.PS512: crypto.SHA512, jws.ES384: crypto.SHA384}[alg]
	if hash == 0 {
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write([]byte(text))
	digest := h.Sum(nil)
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		half := len(signature) / 2
		r, s := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		return ecdsa.Verify(key, digest, r, s)
	case *rsa.PublicKey:
		if alg == jws.PS512 {
			return rsa.VerifyPSS(key, hash, digest, signature, nil) == nil
		}
		return rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	}
	return false
}

// What AWS refuses is named by service, operation and code.
func TestWhatAWSRefuses(t *testing.T) {
	c := newCloud(t)
	p := c.prover(
		proof.Binding{Credential: "box", Kind: proof.KMS, Host: "api.box.com",
			Source: "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"},
		proof.Binding{Credential: "entra", Kind: proof.STS, Host: "login.test", Source: "api://AzureADTokenExchange"},
	)
	digest := sha256.Sum256(nil)
	key, err := p.Key(t.Context(), "box", "api.box.com")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := key.Remote(jws.ES256, digest[:]); err == nil || !strings.Contains(err.Error(), "NotFoundException") {
		t.Errorf("Sign by a key that does not exist = %v, want NotFoundException", err)
	}
	if _, err := key.Remote(jws.EdDSA, nil); err == nil || !strings.Contains(err.Error(), "EdDSA") {
		t.Errorf("Sign by EdDSA = %v, want an error that names it", err)
	}
	c.FederationOff = true
	if _, err := p.Token(t.Context(), "entra", proof.STS, "login.test"); err == nil ||
		!strings.Contains(err.Error(), "OutboundWebIdentityFederationDisabled") {
		t.Errorf("Token() with federation off = %v, want OutboundWebIdentityFederationDisabled", err)
	}
}

func TestWebIdentityTokenIsForItsAudience(t *testing.T) {
	c := newCloud(t)
	p := c.prover(proof.Binding{
		Credential: "entra", Kind: proof.STS, Host: "login.test", Source: "api://AzureADTokenExchange",
	})
	got, err := p.Token(context.Background(), "entra", proof.STS, "login.test")
	if err != nil || !strings.Contains(got.Reveal(), "ES384.api%3A%2F%2FAzureADTokenExchange.") || c.calls.Load() != 1 {
		t.Errorf("Token() = %s, %v, %d calls, want a token for the audience by one call", got.Reveal(), err, c.calls.Load())
	}
}
