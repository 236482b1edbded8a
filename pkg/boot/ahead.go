package boot

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"sync"
	"time"
)

// dialer opens TLS connections. It keeps connections that were opened in
// advance for the first request.
type dialer struct {
	tls.Dialer
	mu    sync.Mutex
	ahead map[string]made // by address
}

// made is a connection that was not used yet.
type made struct {
	conn net.Conn
	at   time.Time // by the wall clock: the monotonic clock stops while Lambda freezes the process
}

// freshFor is how long an unused connection is assumed to be open.
const freshFor = 5 * time.Second

// open opens a connection to an https endpoint in advance. If it fails, the
// first request gets the error.
func (d *dialer) open(ctx context.Context, endpoint url.URL) {
	if endpoint.Scheme != "https" {
		return
	}
	address := endpoint.Host
	if endpoint.Port() == "" {
		address = net.JoinHostPort(endpoint.Host, "443")
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ahead == nil {
		d.ahead = map[string]made{}
	}
	d.ahead[address] = made{conn, time.Now().Round(0)}
}

// dial implements http.Transport's DialTLSContext.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	m, is := d.ahead[address]
	delete(d.ahead, address)
	d.mu.Unlock()
	if age := time.Since(m.at); is && age >= 0 && age < freshFor {
		return m.conn, nil
	}
	if is {
		_ = m.conn.Close()
	}
	return d.DialContext(ctx, network, address)
}
