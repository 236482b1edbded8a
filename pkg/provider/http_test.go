package provider

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/jws"
	"github.com/tokenvend/tokenvend/pkg/outbound"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestPrivateAddressIsRefusedAtTheDial(t *testing.T) {
	address, bytes := trap(t)
	c := alice
	c.TokenURL = "https://" + address + "/token"
	_, err := at(parse(t, plain), c, outbound.NewClient(outbound.Config{})).Exchange(context.Background(), creds)
	e := must(t, asError(t, err), Misconfigured)
	if e.Sent || e.Description != "127.0.0.1: "+refusedInwards("127.0.0.1") || bytes.Load() != 0 {
		t.Errorf("%+v", e)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err = at(parse(t, plain), c, outbound.NewClient(outbound.Config{AllowPrivate: true})).Exchange(ctx, creds)
	if e = must(t, asError(t, err), Unavailable); bytes.Load() == 0 {
		t.Errorf("AllowPrivate did not allow it: %v, want bytes.Load() other than 0", e)
	}
}

func TestFault33_Connections(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	refuse := outbound.Config{
		Roots: vouched().pool,
		Route: func(string) (string, bool) { return closed.Addr().String(), true },
	}
	here := func(string) (string, bool) { return v.Listener.Addr().String(), true }
	plainHTTP := serveBytes(t, "HTTP/1.1 400 Bad Request\r\n\r\n")
	garbage := serveTLSBytes(t, "eyJCANARY is no HTTP\r\n\r\n")
	hangUp := serveTLSBytes(t, "")
	for name, c := range map[string]struct {
		cfg  outbound.Config
		host string
		want string
		sent bool
	}{
		"refused":   {refuse, "login.test", "connection refused", false},
		"untrusted": {outbound.Config{Route: here}, "login.test", "its certificate is not trusted: ", false},
		"other name": {outbound.Config{Roots: vouched().pool, Route: here}, "other.test",
			"its certificate is not trusted: ", false},
		"no TLS": {outbound.Config{Roots: vouched().pool, Route: plainHTTP}, "login.test",
			"it does not speak TLS", false},
		"not HTTP": {outbound.Config{Roots: vouched().pool, Route: garbage}, "login.test",
			"the connection failed", true},
		"hung up": {outbound.Config{Roots: vouched().pool, Route: hangUp}, "login.test",
			"the connection closed before an answer", true},
		"no such name": {outbound.Config{}, "nobody.invalid", "", false},
	} {
		client := alice
		client.TokenURL = "https://" + c.host + "/token"
		_, err := at(parse(t, plain), client, outbound.NewClient(c.cfg)).Exchange(context.Background(), creds)
		e := must(t, asError(t, err), Unavailable)
		if !strings.HasPrefix(e.Description, c.host+": "+c.want) || e.Sent != c.sent || e.Status != 0 ||
			strings.Contains(e.Error(), "CANARY") ||
			unprintable(e.Error()) {
			t.Errorf(`%s: %+v, want strings.HasPrefix(e.Description, c.host+": "+c.want) and e.Sent = %v and status 0 and not "CANARY" in e.Error() and not unprintable(e.Error())`, name, e, c.sent)
		}
	}
}

// serveBytes answers every connection with the same bytes.
func serveBytes(t *testing.T, text string) func(string) (string, bool) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return answerAll(t, l, text)
}

func serveTLSBytes(t *testing.T, text string) func(string) (string, bool) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{vouched().Certificate}})
	if err != nil {
		t.Fatal(err)
	}
	return answerAll(t, l, text)
}

func answerAll(t *testing.T, l net.Listener, text string) func(string) (string, bool) {
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1<<10))
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		wg.Wait()
	})
	return func(string) (string, bool) { return l.Addr().String(), true }
}

func TestCanceledAndTimedOut(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	v := serve(t, says(200, `{"access_token":"a"}`))
	_, err := at(parse(t, plain), alice, v.hc).Exchange(ctx, creds)
	if e := must(t, asError(t, err), Unavailable); !errors.Is(err, context.Canceled) || e.Sent {
		t.Errorf("Exchange() = %+v, want errors.Is(err, context.Canceled) and not e.Sent", e)
	}
	hung := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	hung.hc.Timeout = 50 * time.Millisecond
	_, err = at(parse(t, plain), alice, hung.hc).Exchange(context.Background(), creds)
	if e := must(t, asError(t, err), Unavailable); !errors.Is(err, context.DeadlineExceeded) || !e.Sent ||
		e.Description != "login.test: timed out" {
		t.Errorf(`Exchange() = %+v, want errors.Is(err, context.DeadlineExceeded) and e.Sent and e.Description = "login.test: timed out"`, e)
	}
}

// Nothing goes on once a request was given up, not even a handshake that nobody
// answers.
func TestFault56_GivenUpHandshakeEnds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	hc := outbound.NewClient(outbound.Config{Route: func(string) (string, bool) { return l.Addr().String(), true }})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err = at(parse(t, plain), alice, hc).Exchange(ctx, creds)
	if e := must(t, asError(t, err), Unavailable); e.Sent || e.Unwrap() != context.DeadlineExceeded {
		t.Errorf("Exchange() = %+v, want not e.Sent and e.Unwrap() = %v", e,
			context.DeadlineExceeded)
	}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection is still open a second later, want not errors.Is(err, os.ErrDeadlineExceeded)")
	}
}

// dying answers the first request of each connection, and hangs up on the
// second after having read it.
func dying(t *testing.T) *vendor {
	var used sync.Map
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		if _, again := used.LoadOrStore(r.RemoteAddr, true); again {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		_, _ = io.WriteString(w, `{"access_token":"a","refresh_token":"r"}`)
	})
}

func TestFault38_DeadIdleConnection(t *testing.T) {
	key := newKey(t)
	for _, c := range []struct {
		name, text string
		client     Client
		ask        TokenRequest
		arrived    int64 // requests that two exchanges bring to the server
	}{
		{"client credentials, sent once more", plain, alice, creds, 3},
		{"in the query", `{"token":{"url":"https://login.test/","auth":"post","body":"query"}}`, alice, creds, 3},
		{"refresh token, on its own connection", plain, alice, again, 2},
		{"refresh token by GET", `{"token":{"url":"https://login.test/","auth":"post","body":"query","method":"GET"},"refresh":{}}`, alice, again, 2},
		{"signed assertion", `{"token":{"url":"https://login.test/","auth":"private_key_jwt"}}`,
			Client{ID: "id", Key: key}, creds, 2},
	} {
		v := dying(t)
		d := parse(t, c.text)
		for range 2 {
			if _, err := at(d, c.client, v.hc).Exchange(context.Background(), c.ask); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
		if n := v.requests.Load(); n != c.arrived {
			t.Errorf("%s: %d requests, want %d", c.name, n, c.arrived)
		}
		if strings.Contains(v.lastRequest(), "Idempotency") {
			t.Errorf(`%s: the key was sent, want not "Idempotency" in v.lastRequest()`, c.name)
		}
	}
}

// However many kept connections are dead, a request finds out on one of them;
// and what was answered, however badly, is not sent again.
func TestFault38_ManyKeptConnections(t *testing.T) {
	const many = 4
	for _, c := range []struct {
		// by the server on a kept connection, before it closes it
		said    string
		arrived int64
		ok      bool
	}{
		{"", many + 2, true},
		{"HTTP/1.1 2", many + 1, false},
		{"no\r\n\r\n", many + 1, false},
	} {
		var together, all sync.WaitGroup
		together.Add(many)
		var connections atomic.Int64
		var used sync.Map
		v := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if _, kept := used.LoadOrStore(r.RemoteAddr, true); !kept {
				if connections.Add(1) <= many {
					together.Done()
					together.Wait() // so that each has a connection of its own
				}
				_, _ = io.WriteString(w, `{"access_token":"a"}`)
				return
			}
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_, _ = io.WriteString(conn, c.said)
				_ = conn.Close()
			}
		})
		exchange := func() error {
			_, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds)
			return err
		}
		for range many {
			all.Go(func() {
				if err := exchange(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if err := exchange(); (err == nil) != c.ok {
			t.Errorf("%q: %v, want (err == nil) = %v", c.said, err, c.ok)
		}
		if n := v.requests.Load(); n != c.arrived {
			t.Errorf("%q: %d requests, want %d", c.said, n, c.arrived)
		}
	}
}

// What a dead connection may have brought to the provider counts as sent,
// though the second attempt comes to nothing.
func TestFault38_WhatADeadConnectionTookCountsAsSent(t *testing.T) {
	var requests atomic.Int64
	var v *vendor
	v = serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 1 {
			_, _ = io.WriteString(w, `{"access_token":"a"}`)
			return
		}
		_ = v.Listener.Close()
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	})
	if _, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds); err != nil {
		t.Fatal(err)
	}
	_, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds)
	if e := must(t, asError(t, err), Unavailable); !e.Sent || requests.Load() != 2 {
		t.Errorf("%+v after %d requests, want e.Sent and requests.Load() = 2", e, requests.Load())
	}
}

// A RoundTripper that net/http did not make is asked once, and its failures may
// have been sent.
type double func(*http.Request) (*http.Response, error)

func (f double) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTransportThatIsATestDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hc := &http.Client{Transport: double(func(r *http.Request) (*http.Response, error) {
			time.Sleep(2 * time.Second)
			return &http.Response{
				StatusCode: 200,
				Header:     http.Header{},
				Body:       io.NopCloser(strings.NewReader(`{"access_token":"a"}`)),
			}, nil
		})}
		begun := clock.Now()
		answer, err := at(parse(t, plain), alice, hc).Exchange(t.Context(), again)
		if err != nil || !answer.SentAt.Equal(begun) || answer.Clock.Known() {
			t.Errorf("%+v, %v: want it sent at %v", answer, err, begun)
		}
		hc.Transport = double(func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "CANARY", Err: errors.New("CANARY")}
		})
		_, err = at(parse(t, plain), alice, hc).Exchange(t.Context(), creds)
		if e := must(t, asError(t, err), Unavailable); !e.Sent || strings.Contains(e.Error(), "CANARY") {
			t.Errorf(`Exchange() = %+v, want e.Sent and not "CANARY" in e.Error()`, e)
		}
		for _, none := range []*http.Client{nil, {}} {
			_, err = at(parse(t, plain), alice, none).Exchange(t.Context(), creds)
			must(t, asError(t, err), Misconfigured)
		}
	})
}

// An http.Transport from elsewhere does too: single-use tokens and certificates
// still get connections of their own.
func TestTransportFromElsewhere(t *testing.T) {
	v := dying(t)
	certificate := vouched().Certificate
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: vouched().pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, v.Listener.Addr().String())
		},
	}
	defer transport.CloseIdleConnections()
	byTLS := parse(t, `{"token":{"url":"https://login.test/","auth":"tls"}}`)
	for range 2 {
		if _, err := at(parse(t, plain), alice, &http.Client{Transport: transport}).Exchange(context.Background(),
			again); err != nil {
			t.Error(err)
		}
		if _, err := at(byTLS, Client{ID: "id", Certificate: &certificate},
			&http.Client{Transport: transport}).Exchange(context.Background(), creds); err != nil {
			t.Error(err)
		}
	}
	if n := v.requests.Load(); n != 4 {
		t.Errorf("%d requests, want 4", n)
	}
}

func TestHTTPClientUsesOnlyHTTPSWithoutProxyOrRedirects(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	v := serve(t, says(302, "", "Location", "https://login.test/other"))
	if _, err := v.hc.Get("http://login.test/"); err == nil {
		t.Errorf("http is spoken, want an error")
	}
	if n := v.requests.Load(); n != 0 {
		t.Errorf("%d requests, want n = 0", n)
	}
	res, err := v.hc.Get("https://login.test/")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != 302 || res.TLS.Version < tls.VersionTLS12 || res.ProtoMajor != 1 || v.requests.Load() != 1 {
		t.Errorf("status %d, TLS %x, %s, %d requests, want res.StatusCode = 302 and res.TLS.Version >= tls.VersionTLS12 and res.ProtoMajor = 1 and v.requests.Load() = 1", res.StatusCode, res.TLS.Version, res.Proto, v.requests.Load())
	}
	if _, err := v.hc.Post("http://login.test/", "", strings.NewReader("CLIENT_SECRET")); err == nil {
		t.Errorf("http is spoken, want an error")
	}
}

func TestOldTLSAndHugeHeadersAreRefused(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`, "X-Long", strings.Repeat("x", 1<<20)))
	_, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds)
	must(t, asError(t, err), Unavailable)
	old := serve(t, says(200, `{"access_token":"a"}`))
	old.TLS.MaxVersion = tls.VersionTLS11
	old.TLS.MinVersion = tls.VersionTLS10
	_, err = at(parse(t, plain), alice, old.hc).Exchange(context.Background(), creds)
	if e := must(t, asError(t, err), Unavailable); e.Sent {
		t.Errorf("Exchange() = %+v, want not e.Sent", e)
	}
}

func TestClientCertificate(t *testing.T) {
	var shown []*x509.Certificate
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates
		_, _ = io.WriteString(w, `{"access_token":"a"}`)
	})
	certificate := vouched().Certificate
	d := parse(t, `{"token":{"url":"https://login.test/","auth":"tls"}}`)
	if _, err := at(d, Client{ID: "id", Certificate: &certificate}, v.hc).Exchange(context.Background(),
		creds); err != nil {
		t.Fatal(err)
	}
	if len(shown) != 1 || !shown[0].Equal(certificate.Leaf) ||
		!strings.HasSuffix(v.lastRequest(), "\n\nclient_id=id&grant_type=client_credentials") {
		t.Errorf("%d certificates; asked\n%s", len(shown), v.lastRequest())
	}
	d = parse(t, `{"token":{"url":"https://login.test/","auth":"tls"},"refresh":{},"revoke":{"url":"/revoke"}}`)
	for name, ask := range everyRequest(d, v.hc, Client{ID: "id", Certificate: &certificate}) {
		shown = nil
		if _ = ask(); len(shown) != 1 || !strings.Contains(v.lastRequest(), "\n\nclient_id=id&") {
			t.Errorf("%s: Exchange showed %d certificates and sent\n%s\nwant one certificate and the client_id",
				name, len(shown), v.lastRequest())
		}
	}
	if _, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds); err != nil || len(shown) != 0 {
		t.Errorf("another client shows the certificate: %v, want no error and len(shown) = 0", err)
	}
	_, err := at(
		d,
		Client{ID: "id", Certificate: &certificate},
		&http.Client{Transport: double(nil)},
	).Exchange(context.Background(), creds)
	must(t, asError(t, err), Misconfigured)
}

// A server names the authorities whose certificates it takes, and knows others
// one by one.
func TestClientCertificateOfAnAuthorityThatTheServerDoesNotName(t *testing.T) {
	var shown int
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		shown = len(r.TLS.PeerCertificates)
		_, _ = io.WriteString(w, `{"access_token":"a"}`)
	})
	certificate := vouched().Certificate
	named := *certificate.Leaf
	var err error
	if named.RawSubject, err = asn1.Marshal(pkix.Name{CommonName: "another authority"}.ToRDNSequence()); err != nil {
		t.Fatal(err)
	}
	v.TLS.ClientCAs = x509.NewCertPool()
	v.TLS.ClientCAs.AddCert(&named)
	d := parse(t, `{"token":{"url":"https://login.test/","auth":"tls"}}`)
	elsewhere := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: vouched().pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, v.Listener.Addr().String())
		},
	}
	for name, hc := range map[string]*http.Client{"ours": v.hc, "from elsewhere": {Transport: elsewhere}} {
		shown = 0
		if _, err := at(d, Client{ID: "id", Certificate: &certificate}, hc).Exchange(t.Context(), creds); err != nil ||
			shown != 1 {
			t.Errorf("%s: %v; %d certificates shown, want 1", name, err, shown)
		}
	}
}

func TestSignedAssertion(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range []struct {
		key  crypto.Signer
		alg  string
		want jws.Algorithm
		aud  string
	}{
		{newKey(t), "", jws.ES256, "https://login.test/token"},
		{rsaKey, "", jws.RS256, "https://login.test/token"},
		{rsaKey, "", jws.RS256, "https://login.test/token"},
		{rsaKey, `,"algorithm":"PS256"`, jws.PS256, "https://login.test/token"},
		{rsaKey, `,"algorithm":"PS256","assertion_audience":"https://issuer.test"`, jws.PS256,
			"https://issuer.test"},
	} {
		v := serve(t, says(200, `{"access_token":"a"}`))
		d := parse(t, fmt.Sprintf(`{"token":{"url":"https://login.test/token","auth":"private_key_jwt"%s}}`, c.alg))
		if _, err := at(d, Client{ID: "id", Key: c.key, KeyID: "k1"}, v.hc).Exchange(context.Background(),
			creds); err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(v.lastRequest(), "\n\n")
		form, _ := url.ParseQuery(body)
		parts := strings.Split(form.Get("client_assertion"), ".")
		if len(parts) != 3 || form.Get("client_assertion_type") != assertionType || form.Get("client_id") != "id" ||
			form.Get("grant_type") != "client_credentials" {
			t.Fatalf("Exchange sent\n%s\nwant an assertion of type %s, client_id id and grant_type client_credentials",
				v.lastRequest(), assertionType)
		}
		var header, claims map[string]any
		unpack(t, parts[0], &header)
		unpack(t, parts[1], &claims)
		issued := time.Unix(int64(claims["iat"].(float64)), 0)
		life := claims["exp"].(float64) - claims["iat"].(float64)
		if header["alg"] != string(c.want) || header["kid"] != "k1" || claims["iss"] != "id" || claims["sub"] != "id" ||
			claims["aud"] != c.aud ||
			life != 120 ||
			claims["nbf"] != claims["iat"] ||
			(time.Since(issued)-time.Minute).Abs() > 5*time.Second {
			t.Errorf(`header %v, claims %v, want header["alg"] = %v and header["kid"] = "k1" and claims["iss"] = "id" and claims["sub"] = "id" and claims["aud"] = %v and life = 120 and claims["nbf"] = %v and (time.Since(issued)-time.Minute).Abs() <= 5*time.Second`, header, claims, string(c.want), c.aud, claims["iat"])
		}
		if jti := claims["jti"].(string); seen[jti] || len(jti) < 20 {
			t.Errorf("jti %q again", jti)
		} else {
			seen[jti] = true
		}
		signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
		if !verifies(c.key.Public(), c.want, parts[0]+"."+parts[1], signature) {
			t.Errorf("%s does not verify", c.want)
		}
	}
}

func unpack(t *testing.T, part string, into any) {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(part)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func verifies(public crypto.PublicKey, alg jws.Algorithm, text string, signature []byte) bool {
	digest := sha256.Sum256([]byte(text))
	switch key := public.(type) {
	case *ecdsa.PublicKey:
		return len(signature) == 64 &&
			ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case *rsa.PublicKey:
		if alg == jws.PS256 {
			return rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, &rsa.PSSOptions{SaltLength: 32}) == nil
		}
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

func TestSigningKeysThatDoNotFit(t *testing.T) {
	wide, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for alg, key := range map[jws.Algorithm]crypto.Signer{jws.ES256: wide, jws.RS256: newKey(t),
		jws.PS256: newKey(t)} {
		d := parse(
			t,
			fmt.Sprintf(`{"token":{"url":"https://login.test/","auth":"private_key_jwt","algorithm":%q}}`, alg),
		)
		_, err := at(
			d,
			Client{ID: "id", Key: key},
			outbound.NewClient(outbound.Config{}),
		).Exchange(context.Background(), creds)
		must(t, asError(t, err), Misconfigured)
	}
}
