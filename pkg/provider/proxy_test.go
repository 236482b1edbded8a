package provider_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/testbed"
)

func TestAProxyTunnelsAndReadsNothing(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "through") }))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	proxy := testbed.Proxy(t, func(hostport string) (string, bool) {
		return server.Listener.Addr().String(), hostport == "example.com:443"
	})
	hc := provider.NewHTTPClient(provider.HTTPConfig{Proxy: proxy, Roots: roots})
	defer hc.CloseIdleConnections()
	resp, err := hc.Get("https://example.com/x")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if body, _ := io.ReadAll(resp.Body); string(body) != "through" || resp.TLS.Version < tls.VersionTLS12 {
		t.Errorf("%q over %x", body, resp.TLS.Version)
	}
	if _, err := hc.Get("https://elsewhere.example/"); err == nil {
		t.Error("what the proxy refused was answered")
	}
}
