package provider

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// recorder answers every request with a token, and keeps what was sent.
type recorder struct {
	sent   []url.Values
	answer string
	status int
	header http.Header
}

// RoundTrip implements [http.RoundTripper].
func (s *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	s.sent = append(s.sent, form)
	answer := s.answer
	if answer == "" {
		answer = `{"access_token":"a","nonce":"n"}`
	}
	return &http.Response{
		StatusCode: max(s.status, http.StatusOK), Header: s.header, Body: io.NopCloser(strings.NewReader(answer)),
	}, err
}

// signatures counts the uses of a key, an audience and a file.
type signatures struct {
	key     *ecdsa.PrivateKey
	signed  int // by the key
	granted int // tokens of STS
	failure error
}

func (s *signatures) signDigest(_ context.Context, _ string, _ jws.Algorithm, digest []byte) ([]byte, error) {
	s.signed++
	if s.failure != nil {
		return nil, s.failure
	}
	return ecdsa.SignASN1(rand.Reader, s.key, digest)
}

func (s *signatures) webIdentity(_ context.Context, audience string, alg jws.Algorithm) (redact.String, error) {
	s.granted++
	return redact.New(string(alg) + ".OF." + audience), s.failure
}

// proofs returns a prover for the credentials box, entra and gcp, and its
// counts. The file of gcp holds FILE_TOKEN.
func proofs(t *testing.T) (*proof.Prover, *signatures) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("FILE_TOKEN\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bindings, err := proof.Parse("box=arn:aws:kms:us-east-1:111122223333:key/1@login.test,entra=AUDIENCE@login.test")
	if err != nil {
		t.Fatal(err)
	}
	files, err := proof.ParseFiles([]string{"gcp=" + path + "@login.test"})
	if err != nil {
		t.Fatal(err)
	}
	s := &signatures{key: newKey(t)}
	return &proof.Prover{
		Bindings: append(bindings, files...), SignDigest: s.signDigest, WebIdentity: s.webIdentity,
	}, s
}

const asserting = `{"token":{"url":"https://login.test/token","auth":"private_key_jwt"},
	"assertion":{"algorithm":"ES256"}}`

const byToken = `{"token":{"url":"https://login.test/token","auth":"private_key_jwt"}}`

func TestKeyInKMSSignsOncePerExchange(t *testing.T) {
	prover, s := proofs(t)
	server := &recorder{}
	e := at(parse(t, asserting), Client{ID: "id", Credential: "box", Proof: proof.KMS, KeyID: "k1"},
		&http.Client{Transport: server})
	e.Prover = prover
	for range 2 {
		if got, err := e.Exchange(t.Context(), creds); err != nil || got.Access.Reveal() != "a" {
			t.Fatalf("Exchange() = %+v, %v, want a token", got, err)
		}
	}
	if s.signed != 2 || len(server.sent) != 2 {
		t.Errorf("two exchanges signed %d times and sent %d requests, want 2 and 2", s.signed, len(server.sent))
	}
	signed := server.sent[0].Get("client_assertion")
	text, signature := signed[:strings.LastIndexByte(signed, '.')], signed[strings.LastIndexByte(signed, '.')+1:]
	raw, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil || !verifies(&s.key.PublicKey, jws.ES256, text, raw) {
		t.Errorf("client_assertion = %s, want a valid signature", signed)
	}
	header := map[string]any{}
	unpack(t, strings.Split(signed, ".")[0], &header)
	if header["alg"] != "ES256" || header["kid"] != "k1" {
		t.Errorf("header = %v, want ES256 and k1", header)
	}
}

func TestTokensAreSentAsTheAssertion(t *testing.T) {
	for want, c := range map[string]Client{
		"RS256.OF.AUDIENCE": {ID: "id", Credential: "entra", Proof: proof.STS},
		"FILE_TOKEN":        {ID: "id", Credential: "gcp", Proof: proof.File},
	} {
		t.Run(string(c.Proof), func(t *testing.T) {
			prover, _ := proofs(t)
			server := &recorder{}
			e := at(parse(t, byToken), c, &http.Client{Transport: server})
			e.Prover = prover
			if _, err := e.Exchange(t.Context(), creds); err != nil {
				t.Fatal(err)
			}
			got := server.sent[0]
			if got.Get("client_assertion") != want || got.Get("client_id") != "id" {
				t.Errorf("Exchange() sent %v, want client_assertion %s", got, want)
			}
			// A token is not ours to sign anew, so a wrong clock is no reason
			// to send it again. An error shows nothing of it.
			server.status = http.StatusUnauthorized
			server.answer = `{"error":"invalid_client","error_description":"` + want + `"}`
			server.header = dated(time.Now().Add(time.Hour))
			_, err := e.Exchange(t.Context(), creds)
			if err == nil || strings.Contains(err.Error(), want) || len(server.sent) != 2 {
				t.Errorf("Exchange() = %v by %d requests, want a masked refusal of one", err, len(server.sent)-1)
			}
		})
	}
}

// A secret can name a kind of proof and choose every URL. Nothing is signed and
// nothing is read for a credential, a kind or a host that no binding names.
func TestProofsThatNoBindingAllows(t *testing.T) {
	elsewhere := func(text string) string { return strings.ReplaceAll(text, "login.test/token", "evil.test/token") }
	const step = `{"token":{"url":"https://login.test/token","auth":"none","params":{"n":"{steps.s.n}"}},
		"steps":[{"name":"s","url":"https://evil.test/s","params":{"x":"{assertion}"},"take":{"n":"/nonce"}}]}`
	for name, c := range map[string]struct {
		descriptor, credential string
		kind                   proof.Kind
	}{
		"another credential's key":       {asserting, "entra", proof.KMS},
		"another credential's audience":  {byToken, "box", proof.STS},
		"another credential's file":      {byToken, "box", proof.File},
		"a credential without a binding": {asserting, "other", proof.KMS},
		"another host for the key":       {elsewhere(asserting), "box", proof.KMS},
		"another host for the audience":  {elsewhere(byToken), "entra", proof.STS},
		"another host for the file":      {elsewhere(byToken), "gcp", proof.File},
		"another port": {
			strings.ReplaceAll(asserting, "login.test/", "login.test:8443/"), "box", proof.KMS,
		},
		"a step to another host":         {step, "box", proof.KMS},
		"a file of the system as a kind": {byToken, "gcp", "/etc/passwd"},
	} {
		t.Run(name, func(t *testing.T) {
			prover, s := proofs(t)
			server := &recorder{}
			e := at(parse(t, c.descriptor), Client{ID: "id", Credential: c.credential, Proof: c.kind},
				&http.Client{Transport: server})
			e.Prover = prover
			_, err := e.Exchange(t.Context(), creds)
			must(t, asError(t, err), Misconfigured)
			if s.signed+s.granted+len(server.sent) != 0 {
				t.Errorf("Exchange() signed %d, got %d tokens of STS and sent %d requests, want none",
					s.signed, s.granted, len(server.sent))
			}
			for _, source := range []string{"arn:", "AUDIENCE", "FILE_TOKEN", prover.Bindings[2].Source} {
				if strings.Contains(err.Error(), source) {
					t.Errorf("Exchange() = %v, want an error without %q", err, source)
				}
			}
		})
	}
}

// Requests about a token go to hosts that the descriptor names too.
func TestProofsOfRequestsBesideTheTokenRequest(t *testing.T) {
	const d = `{"token":{"url":"https://login.test/token","auth":"private_key_jwt"},"assertion":{"algorithm":"ES256"},
		"revoke":{"url":"https://HOST/revoke"},
		"verify":{"url":"https://HOST/me","headers":{"X-Assertion":"{assertion}"}}}`
	for host, want := range map[string]int{"login.test": 2, "evil.test": 0} {
		t.Run(host, func(t *testing.T) {
			prover, s := proofs(t)
			server := &recorder{}
			client := Client{ID: "id", Credential: "box", Proof: proof.KMS}
			e := at(parse(t, strings.ReplaceAll(d, "HOST", host)), client, &http.Client{Transport: server})
			e.Prover = prover
			revoked := e.RevokeToken(t.Context(), redact.New("ACCESS"))
			works, verified := e.VerifyToken(t.Context(), redact.New("ACCESS"))
			if s.signed != want || len(server.sent) != want || works != (want > 0) {
				t.Errorf("RevokeToken() = %v, VerifyToken() = %t, %v; signed %d, sent %d, want %d",
					revoked, works, verified, s.signed, len(server.sent), want)
			}
		})
	}
}

func TestSelfSignedTokensHaveNoProof(t *testing.T) {
	prover, s := proofs(t)
	e := at(parse(t, `{"grants":["self_signed"]}`),
		Client{ID: "id", Credential: "box", Proof: proof.KMS}, nil)
	e.Prover = prover
	_, err := e.Exchange(t.Context(), TokenRequest{Grant: descriptor.SelfSigned})
	must(t, asError(t, err), Misconfigured)
	if s.signed != 0 {
		t.Errorf("Exchange() signed %d times, want 0", s.signed)
	}
}

// A proof that AWS refuses now may be obtained later: it is no reason to doubt
// the client or the provider.
func TestProofThatCannotBeObtained(t *testing.T) {
	prover, s := proofs(t)
	s.failure = errors.New("AWS says no")
	for _, c := range []Client{
		{ID: "id", Credential: "box", Proof: proof.KMS}, {ID: "id", Credential: "entra", Proof: proof.STS},
	} {
		server := &recorder{}
		e := at(parse(t, byToken), c, &http.Client{Transport: server})
		e.Prover = prover
		_, err := e.Exchange(t.Context(), creds)
		got := must(t, asError(t, err), Unproven)
		if got.Permanent || got.Client || got.Sent || !errors.Is(got, s.failure) || len(server.sent) != 0 {
			t.Errorf("Exchange() = %+v and sent %d requests, want an error that may pass, and none",
				got, len(server.sent))
		}
	}
}

// The request that follows a token request may go to another host.
func TestProofsOfTheRequestThatFollows(t *testing.T) {
	prover, s := proofs(t)
	server := &recorder{}
	const d = `{"token":{"url":"https://login.test/token","auth":"none"},
		"then":{"url":"https://evil.test/then","params":{"x":"{assertion}"},"access_token":"/access_token"}}`
	e := at(parse(t, d), Client{ID: "id", Credential: "entra", Proof: proof.STS}, &http.Client{Transport: server})
	e.Prover = prover
	_, err := e.Exchange(t.Context(), creds)
	must(t, asError(t, err), Misconfigured)
	if s.granted != 0 || len(server.sent) != 1 {
		t.Errorf("Exchange() got %d tokens of STS and sent %d requests, want none and the token request",
			s.granted, len(server.sent))
	}
}
