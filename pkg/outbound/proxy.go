package outbound

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
)

// maxHeader bounds the header of a response, in bytes.
const maxHeader = 64 << 10

// connect asks a proxy for a tunnel to hostport (RFC 9110 §9.3.6). TLS runs
// between this process and the provider: the proxy sees a name, and bytes that
// it cannot read.
func connect(ctx context.Context, dialer *net.Dialer, proxy *url.URL, hostport string) (net.Conn, error) {
	conn, err := dialer.DialContext(ctx, "tcp", proxy.Host)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if err := tunnel(conn, hostport); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

func tunnel(conn net.Conn, hostport string) error {
	request := &http.Request{
		Method: http.MethodConnect,
		URL:    &url.URL{Opaque: hostport},
		Host:   hostport,
		Header: http.Header{},
	}
	if err := request.Write(conn); err != nil {
		return err
	}
	// The reader may take bytes that follow the response. There are none: with
	// TLS, the client sends first.
	answer, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeader)), request)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New("the proxy refused the connection")
	}
	return nil
}
