package outbound_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/pkg/outbound"
)

// Without TLS a request goes to this machine alone, and only where the setting
// admits it. No proxy and no other setting changes that.
func TestPlainHTTP(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	local := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	nowhere := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
	for name, c := range map[string]struct {
		config outbound.Config
		url    string
		sent   bool
	}{
		"not admitted":             {outbound.Config{}, server.URL, false},
		"private addresses alone":  {outbound.Config{AllowPrivate: true}, server.URL, false},
		"admitted":                 {outbound.Config{PlainLoopback: true}, server.URL, true},
		"admitted by name":         {outbound.Config{PlainLoopback: true}, local, true},
		"admitted beside a proxy":  {outbound.Config{PlainLoopback: true, Proxy: nowhere}, server.URL, true},
		"another host":             {outbound.Config{PlainLoopback: true}, "http://10.0.0.1/", false},
		"a name like a loopback's": {outbound.Config{PlainLoopback: true}, "http://localhost.example/", false},
		"another scheme":           {outbound.Config{PlainLoopback: true}, "ftp://127.0.0.1/", false},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := outbound.NewClient(c.config).Get(c.url)
			if err == nil {
				_ = res.Body.Close()
			}
			if c.sent && err != nil || !c.sent && !errors.Is(err, outbound.ErrPlain) {
				t.Errorf("Get(%s) = %v; want it sent: %t, else %v", c.url, err, c.sent, outbound.ErrPlain)
			}
		})
	}
}
