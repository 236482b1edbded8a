package outbound_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/outbound"
)

func TestAProxyTunnelsAndReadsNothing(t *testing.T) {
	server := httptest.NewTLSServer(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "through") }),
	)
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	proxy := testbed.Proxy(t, func(hostport string) (string, bool) {
		return server.Listener.Addr().String(), hostport == "example.com:443"
	})
	hc := outbound.NewClient(outbound.Config{Proxy: proxy, Roots: roots})
	defer hc.CloseIdleConnections()
	resp, err := hc.Get("https://example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); string(body) != "through" || resp.TLS.Version < tls.VersionTLS12 {
		t.Errorf(`%q over %x, want string(body) = "through" and resp.TLS.Version >= tls.VersionTLS12`, body,
			resp.TLS.Version)
	}
	if _, err := hc.Get("https://elsewhere.example/"); err == nil {
		t.Errorf("what the proxy refused was answered, want an error")
	}
}

// A proxy's answer is read no further than a header may be long.
func TestFault39_AProxyThatPoursIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var poured int64
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
		poured, _ = io.Copy(conn, io.LimitReader(endless{}, 32<<20))
	}()
	hc := outbound.NewClient(outbound.Config{Proxy: &url.URL{Scheme: "http", Host: l.Addr().String()}})
	if _, err := hc.Get("https://example.com/"); err == nil {
		t.Errorf("what no proxy may say was taken for an answer, want an error")
	}
	if <-done; poured >= 32<<20 {
		t.Errorf("%d bytes were taken, want poured < 32<<20", poured)
	}
}

// endless is a header that has no end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	return copy(p, strings.Repeat("X: y\r\n", 1+len(p)/6)), nil
}
