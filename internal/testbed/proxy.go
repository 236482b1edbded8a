package testbed

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// Proxy starts an http proxy on loopback that tunnels where route says, and
// refuses every other host. It stands for the internet: a real name leads to a
// test's own server.
func Proxy(t testing.TB, route func(hostport string) (address string, ok bool)) *url.URL {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address, ok := route(r.Host)
		if !ok || r.Method != http.MethodConnect {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		there, err := net.Dial("tcp", address)
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		here, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			_ = there.Close()
			return
		}
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		var both sync.WaitGroup
		both.Go(func() { pipe(here, there) })
		both.Go(func() { pipe(there, here) })
		both.Wait() // until the client or the server ends the tunnel
	}))
	t.Cleanup(server.Close)
	return &url.URL{Scheme: "http", Host: server.Listener.Addr().String()}
}

// pipe copies until one side ends, and then ends both.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}
