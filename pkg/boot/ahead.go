package boot

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"sync"
	"time"
)

// dialer makes connections with TLS, and keeps those that were made ahead for the first request that wants them.
type dialer struct {
	tls.Dialer
	mu    sync.Mutex
	ahead map[string]made // by address
}

// made is a connection that nobody has used yet.
type made struct {
	conn net.Conn
	at   time.Time // by the wall clock: the other one stops while Lambda freezes the process
}

// freshFor is how long a connection is believed to live that has carried nothing.
const freshFor = 5 * time.Second

// open makes a connection to an https endpoint ahead. Its failure is the first request's to see.
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

// dial is http.Transport's DialTLSContext.
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
