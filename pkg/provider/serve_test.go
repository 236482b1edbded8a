package provider

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"io"
	"log"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/parser"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// hosts are the names that the test certificate is for.
var hosts = []string{
	"api.minut.com",
	"www.movemint.cc",
	"api.trackmania.com",
	"public-api.monta.com",
	"sandbox.miden.test",
	"login.test",
}

type identity struct {
	tls.Certificate
	pool *x509.CertPool
}

// vouched makes a certificate that signs itself; once, for keys take time.
var vouched = sync.OnceValue(func() identity {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(
			1,
		), DNSNames: hosts, NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(100, 0, 0),
		IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return identity{tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, pool}
})

// vendor is a provider on loopback, by TLS.
type vendor struct {
	*httptest.Server
	hc       *http.Client
	requests atomic.Int64
	mu       sync.Mutex
	last     string // the last request, as in testdata
}

// serve starts a vendor for every host; what others maps, goes to that address
// instead.
func serve(t testing.TB, handler http.HandlerFunc, others ...map[string]string) *vendor {
	t.Helper()
	v := &vendor{}
	v.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v.record(r)
		handler(w, r)
	}))
	v.Config.ErrorLog = log.New(io.Discard, "", 0)
	v.TLS = &tls.Config{Certificates: []tls.Certificate{vouched().Certificate}, ClientAuth: tls.RequestClientCert}
	v.StartTLS()
	v.hc = outbound.NewClient(outbound.Config{Roots: vouched().pool, Route: func(hostport string) (string, bool) {
		for _, other := range others {
			if address, ok := other[hostport]; ok {
				return address, true
			}
		}
		return v.Listener.Addr().String(), true
	}})
	t.Cleanup(func() {
		v.hc.CloseIdleConnections()
		v.Close()
	})
	return v
}

func (v *vendor) record(r *http.Request) {
	v.requests.Add(1)
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var b strings.Builder
	b.WriteString(r.Method + " https://" + r.Host + r.URL.String() + "\n")
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if name != "Content-Length" && name != "Connection" {
			b.WriteString(name + ": " + strings.Join(r.Header[name], ", ") + "\n")
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last = b.String() + "\n" + string(body)
}

func (v *vendor) lastRequest() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.last
}

// says answers each request alike.
func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// trap listens, and counts the bytes that reach it.
func trap(t testing.TB) (address string, bytes *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bytes = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			bytes.Add(1) // a connection alone is too much
			_ = conn.SetDeadline(time.Now().Add(100 * time.Millisecond))
			n, _ := io.Copy(io.Discard, conn)
			bytes.Add(n)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String(), bytes
}

func parse(t testing.TB, text string) *descriptor.Descriptor {
	t.Helper()
	d, err := parser.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// at is the endpoint that a descriptor describes.
func at(d *descriptor.Descriptor, c Client, hc *http.Client) Endpoint {
	return Endpoint{Descriptor: d, Client: c, HTTP: hc}
}

// The limits of package response, in bytes.
const (
	maxBody  = 1 << 20
	maxToken = 64 << 10
)

const plain = `{"token":{"url":"https://login.test/token"},"refresh":{}}`

var (
	alice = Client{ID: "CLIENT_ID", Secret: redact.New("CLIENT_SECRET")}
	creds = TokenRequest{Grant: descriptor.ClientCredentials}
	again = TokenRequest{Grant: descriptor.RefreshToken, Refresh: redact.New("REFRESH_TOKEN")}
)

// exchange asks a fresh vendor that answers so, by a plain descriptor.
func exchange(t testing.TB, ask TokenRequest, handler http.HandlerFunc) (TokenResponse, *Error) {
	t.Helper()
	return exchangeBy(t, plain, alice, ask, handler)
}

func exchangeBy(
	t testing.TB,
	text string,
	c Client,
	ask TokenRequest,
	handler http.HandlerFunc,
) (TokenResponse, *Error) {
	t.Helper()
	v := serve(t, handler)
	answer, err := at(parse(t, text), c, v.hc).Exchange(context.Background(), ask)
	return answer, asError(t, err)
}

func asError(t testing.TB, err error) *Error {
	t.Helper()
	if err == nil {
		return nil
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("not a *provider.Error: %v, want errors.As(err, &e)", err)
	}
	return e
}

// must is for errors that a test depends on.
func must(t testing.TB, e *Error, kind Kind) *Error {
	t.Helper()
	if e == nil {
		t.Fatalf("no error; want one that is %v", kind)
	}
	if e.Kind != kind {
		t.Fatalf("%v; want one that is %v", e, kind)
	}
	return e
}

// checks sets how many cases rapid generates.
func checks(t *testing.T, n string) {
	t.Helper()
	before := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
}
