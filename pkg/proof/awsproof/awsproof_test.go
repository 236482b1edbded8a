package awsproof_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/tokenvend/tokenvend/internal/standin"
	"github.com/tokenvend/tokenvend/pkg/journal"
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
		Bindings:   bindings,
		SignDigest: awsproof.SignDigest(kms.NewFromConfig(c.cfg)),
		WebIdentity: awsproof.STS{
			Endpoint: *c.cfg.BaseEndpoint, Region: c.cfg.Region, Credentials: c.cfg.Credentials,
			HTTP: http.DefaultClient,
		}.WebIdentity,
	}
}

func TestAssertionSignedInKMS(t *testing.T) {
	for alg, spec := range map[jws.Algorithm]string{
		jws.RS256: "RSA_2048", jws.PS512: "RSA_2048", jws.ES256: "ECC_NIST_P256", jws.ES384: "ECC_NIST_P384",
	} {
		t.Run(string(alg), func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			arn, public, err := c.KMS.NewSigningKey(spec)
			if err != nil {
				t.Fatal(err)
			}
			p := c.prover(proof.Binding{Credential: "box", Kind: proof.KMS, Source: arn, Host: "api.box.com"})
			got, err := p.Prove(t.Context(), proof.Use{
				Credential: "box", Kind: proof.KMS, Host: "api.box.com", Algorithm: alg,
			})
			if err != nil {
				t.Fatal(err)
			}
			signed, err := jws.Sign(got.Key, alg, nil, map[string]any{"iss": "client"})
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
	got, err := p.Prove(t.Context(), proof.Use{Credential: "box", Kind: proof.KMS, Host: "api.box.com"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = got.Key.Remote(jws.ES256, digest[:])
	if cause := journal.Cause(err); !strings.Contains(cause, "KMS Sign: NotFoundException") {
		t.Errorf("Sign by a key that does not exist = %v, cause %q, want NotFoundException", err, cause)
	}
	if _, err := got.Key.Remote(jws.EdDSA, nil); err == nil || !strings.Contains(err.Error(), "EdDSA") {
		t.Errorf("Sign by EdDSA = %v, want an error that names it", err)
	}
	c.FederationOff = true
	_, err = p.Prove(t.Context(), forEntra)
	const off = "STS GetWebIdentityToken: OutboundWebIdentityFederationDisabledException"
	if cause := journal.Cause(err); !strings.Contains(cause, off) {
		t.Errorf("Prove(%+v) with federation off = %v, cause %q, want %q", forEntra, err, cause, off)
	}
	if n := c.calls.Load(); n != 2 {
		t.Errorf("AWS was called %d times, want 2: a refusal is not asked for again", n)
	}
}

// forEntra is a use of a web identity token.
var forEntra = proof.Use{Credential: "entra", Kind: proof.STS, Host: "login.test", Algorithm: jws.ES384}

func TestWebIdentityTokenIsForItsAudience(t *testing.T) {
	c := newCloud(t)
	p := c.prover(proof.Binding{
		Credential: "entra", Kind: proof.STS, Host: "login.test", Source: "api://AzureADTokenExchange",
	})
	got, err := p.Prove(t.Context(), forEntra)
	token := got.Token.Reveal()
	if err != nil || !strings.Contains(token, "ES384.api%3A%2F%2FAzureADTokenExchange.") || c.calls.Load() != 1 {
		t.Errorf("Prove() = %s, %v, %d calls, want a token for the audience by one call", token, err, c.calls.Load())
	}
}

// Answers that hold no token, by status and body.
func TestAnswersOfSTSWithoutAToken(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   string // of the cause
		calls  int64
	}{
		"a fault":           {500, "<Error><Code>InternalFailure</Code></Error>", "InternalFailure", 3},
		"a page":            {502, "<html>", "HTTP 502", 3},
		"throttled":         {400, "<Error><Code>Throttling</Code></Error>", "Throttling", 3},
		"denied":            {403, "<Error><Code>AccessDenied</Code></Error>", "AccessDenied", 1},
		"no token":          {200, "<GetWebIdentityTokenResult/>", "HTTP 200", 1},
		"markup in a token": {200, "<WebIdentityToken><b>x</b></WebIdentityToken>", "HTTP 200", 1},
		"a token cut off":   {200, "<WebIdentityToken>abc", "HTTP 200", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			defer server.Close()
			s := awsproof.STS{
				Endpoint: server.URL, Region: "eu-west-1", HTTP: server.Client(),
				Credentials: credentials.NewStaticCredentialsProvider("AKIA", "secret", ""),
			}
			got, err := s.WebIdentity(t.Context(), "a", jws.RS256)
			cause := journal.Cause(err)
			if !got.IsZero() || !strings.HasSuffix(cause, ": "+c.want) || calls.Load() != c.calls {
				t.Errorf("WebIdentity() = %s, %q by %d calls, want %q by %d",
					got.Reveal(), cause, calls.Load(), c.want, c.calls)
			}
		})
	}
}
