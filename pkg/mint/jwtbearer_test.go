package mint_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store"
)

const jwtEndpoint = "https://jwt.test/token"

// jwtServer is a token endpoint of the JWT bearer grant (RFC 7523 §2.1). It
// accepts each assertion once.
type jwtServer struct {
	key      *ecdsa.PrivateKey
	seen     map[string]bool // "jti" of the accepted assertions
	refuses  bool
	requests int
}

// RoundTrip implements http.RoundTripper.
func (s *jwtServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests++
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	status, text := http.StatusBadRequest, `{"error":"invalid_grant"}`
	if err == nil && !s.refuses && s.accepts(form, time.Now()) {
		status, text = http.StatusOK, fmt.Sprintf(
			`{"access_token":"jwt-token-%d","token_type":"Bearer","expires_in":3600,"scope":%q}`,
			len(s.seen), form.Get("scope"))
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(text)),
	}, nil
}

// accepts checks a token request as RFC 7523 §3 asks for.
func (s *jwtServer) accepts(form url.Values, now time.Time) bool {
	parts := strings.Split(form.Get("assertion"), ".")
	if form.Get("grant_type") != string(descriptor.JWTBearer) || len(parts) != 3 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	left, right := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if !ecdsa.Verify(&s.key.PublicKey, digest[:], left, right) {
		return false
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expiry   int64  `json:"exp"`
		ID       string `json:"jti"`
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &claims) != nil || s.seen[claims.ID] {
		return false
	}
	s.seen[claims.ID] = true
	return claims.Issuer == "service" && claims.Subject == "service" && claims.Audience == jwtEndpoint &&
		now.Before(time.Unix(claims.Expiry, 0))
}

// newJWTWorld returns a world with one credential of the JWT bearer grant.
func newJWTWorld(t *testing.T) (*testworld.World, *jwtServer) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	testworld.Must(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	testworld.Must(t, err)
	server := &jwtServer{key: key, seen: map[string]bool{}}
	w := testworld.New(t, testworld.Config{HTTP: &http.Client{Transport: server}})
	w.PutSecret("service", map[string]any{
		"client_id": "service", "key_id": "k1", "grant": string(descriptor.JWTBearer), "scope": "read",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"descriptor":  map[string]any{"token": map[string]any{"url": jwtEndpoint, "auth": "none"}},
	})
	return w, server
}

// The JWT bearer grant needs no refresh token: it is renewed by another
// assertion, also after an outage.
func TestJWTBearerIsVendedAndRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, server := newJWTWorld(t)
		m, key := w.NewProcess(), testworld.Key("service")
		first := w.Token(m, key)
		if got := first.Token; got.Access.Reveal() != "jwt-token-1" || got.Scope != "read" {
			t.Errorf("Token() = %s with scope %q, want jwt-token-1 with read", got.Access.Reveal(), got.Scope)
		}
		time.Sleep(time.Until(w.Entry(key).NextAt))
		if became, err := w.NewRotator(m).Renew(t.Context(), key); became != rotate.Renewed {
			t.Errorf("Renew() = %s, %v, want %s", became, err, rotate.Renewed)
		}
		time.Sleep(2 * time.Hour)
		if got := w.Token(m, key).Token.Access.Reveal(); got != "jwt-token-3" || len(server.seen) != 3 {
			t.Errorf("Token() = %s after %d assertions, want jwt-token-3 after 3", got, len(server.seen))
		}
	})
}

// A refusal of an assertion is the client's failure. It never asks for a user,
// and it ends when the provider accepts the client again.
func TestRefusedJWTBearerNeedsNoUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, server := newJWTWorld(t)
		m, key := w.NewProcess(), testworld.Key("service")
		server.refuses = true
		for range 3 {
			if _, err := m.Token(t.Context(), key, mint.Want{}); testworld.ErrorCode(err) != api.ProviderRejected {
				t.Errorf("Token() = %v, want %s", err, api.ProviderRejected)
			}
			time.Sleep(2 * time.Hour)
		}
		server.refuses = false
		w.Token(m, key)
	})
}

// A provider refuses an assertion by a wrong key with invalid_grant (RFC 7523
// §3.1). That is a dead secret, and counts as one.
func TestFault36_JWTBearerWithADeadKeyIsAskedSixTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, server := newJWTWorld(t)
		m, key := w.NewProcess(), testworld.Key("service")
		w.Token(m, key)
		time.Sleep(2 * time.Hour)
		server.refuses = true
		for hour, most := range []int{6, 1, 1} {
			server.requests = 0
			for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(time.Second) {
				w.Refused(m, key, mint.Want{}, api.ProviderRejected)
			}
			if server.requests > most {
				t.Errorf("%d requests in hour %d, want %d at most", server.requests, hour+1, most)
			}
		}
		if got := w.Entry(key).Failure; got.Count == 0 || w.Entry(key).State == store.Reauthorize {
			t.Errorf("entry = state %q with the failure %+v, want a failure and no end of a grant", w.Entry(key).State, got)
		}
	})
}
