//go:build testall

package peer_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
)

// The characters of these secrets differ between the two encodings of Basic
// authentication. The last one cannot be decoded in the raw form.
const (
	secret      = "a+b&c=d/e f%41:g~h"
	undecodable = "one hundred % sure"
)

// tokenSeconds is the lifetime of short access tokens. Several of them expire
// while a test waits.
const tokenSeconds = 5

func TestAServerThatNobodyHereWrote(t *testing.T) {
	s := newSite(t)
	for name, test := range map[string]func(*testing.T, *world){
		"clients authenticate":                      clientsAuthenticate,
		"clients are refused":                       clientsAreRefused,
		"audiences and scopes arrive":               audiencesAndScopesArrive,
		"an account is connected, kept and revoked": anAccountIsConnectedKeptAndRevoked,
		"a revoked family is reported once":         aRevokedFamilyIsReportedOnce,
		"codes are refused":                         codesAreRefused,
		"tokens are bound to a certificate":         tokensAreBoundToACertificate,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, s))
		})
	}
}

// site is the server and the means of client authentication. Each test has its
// own clients.
type site struct {
	server                      testbed.Endpoint
	known                       *testbed.Authority // the authority that the server and its clients trust
	signs, issued, bound, alone testbed.Pair       // alone is from an authority that the server does not know
}

func newSite(t *testing.T) *site {
	t.Helper()
	known := testbed.NewAuthority(t)
	s := &site{
		known: known, signs: known.Issue(t, "signs"), issued: known.Issue(t, "issued"), bound: known.Issue(t, "bound"),
		alone: testbed.NewAuthority(t).Issue(t, "alone"),
	}
	post := testbed.OAuthClient{"client_secret": secret}
	s.server = testbed.OAuth(t, known,
		machine("basic:id", "client_secret_basic", testbed.OAuthClient{"client_secret": secret}),
		machine("post", "client_secret_post", post),
		machine("signs", "private_key_jwt", testbed.OAuthClient{
			"jwks": publicKey(t, s.signs), "token_endpoint_auth_signing_alg": "ES256",
		}),
		machine("issued", "tls_client_auth", testbed.OAuthClient{"tls_client_auth_subject_dn": "CN=issued"}),
		machine("alone", "self_signed_tls_client_auth", testbed.OAuthClient{"jwks": publicKey(t, s.alone)}),
		machine("raw", "client_secret_basic", testbed.OAuthClient{"client_secret": secret}),
		machine("undecodable", "client_secret_basic", testbed.OAuthClient{"client_secret": undecodable}),
		machine("refused", "client_secret_post", post),
		machine("audiences", "client_secret_post", post),
		app("kept", "client_secret_post", testbed.OAuthClient{"client_secret": secret, "token_seconds": tokenSeconds}),
		app("family", "client_secret_post", testbed.OAuthClient{
			"client_secret": secret, "token_seconds": tokenSeconds,
		}),
		app("codes", "client_secret_post", post),
		app("hasty", "client_secret_post", testbed.OAuthClient{"client_secret": secret, "code_seconds": 1}),
		app("bound", "tls_client_auth", testbed.OAuthClient{
			"tls_client_auth_subject_dn": "CN=bound", "tls_client_certificate_bound_access_tokens": true,
		}),
	)
	return s
}

// machine returns a client that uses only client credentials.
func machine(id, auth string, more testbed.OAuthClient) testbed.OAuthClient {
	c := testbed.OAuthClient{
		"client_id": id, "token_endpoint_auth_method": auth, "grant_types": []string{"client_credentials"},
		"response_types": []string{}, "redirect_uris": []string{}, "scope": "read write",
	}
	maps.Copy(c, more)
	return c
}

// app returns a client with which users connect their accounts from their own
// machines.
func app(id, auth string, more testbed.OAuthClient) testbed.OAuthClient {
	c := testbed.OAuthClient{
		"client_id": id, "token_endpoint_auth_method": auth,
		"grant_types":    []string{"authorization_code", "refresh_token"},
		"response_types": []string{"code"}, "redirect_uris": []string{testworld.RedirectURI},
		"application_type": "native",
	}
	maps.Copy(c, more)
	return c
}

// publicKey returns a certificate and its key as a JSON Web Key (RFC 7517).
func publicKey(t *testing.T, p testbed.Pair) map[string]any {
	t.Helper()
	block, _ := pem.Decode([]byte(p.Certificate))
	certificate, err := x509.ParseCertificate(block.Bytes)
	testworld.Must(t, err)
	point, err := certificate.PublicKey.(*ecdsa.PublicKey).Bytes() // 4, x, y
	testworld.Must(t, err)
	half := len(point) / 2
	coordinate := base64.RawURLEncoding.EncodeToString
	return map[string]any{"keys": []any{map[string]any{
		"kid": "first", "kty": "EC", "crv": "P-256", "x": coordinate(point[1 : 1+half]),
		"y":   coordinate(point[1+half:]),
		"x5c": []string{base64.StdEncoding.EncodeToString(block.Bytes)},
	}}}
}
