package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	headerTime = 10 * time.Second
	// readTime and writeTime are longer than a call may take: net/http cancels a
	// call when the read time of its connection ends.
	readTime  = gatewayTimeout + 15*time.Second
	writeTime = readTime + 15*time.Second
	idleTime  = time.Minute
	maxHeader = 16 << 10 // bytes
)

// web is an HTTP server on one address. Every goroutine of it is waited for.
type web struct {
	listener net.Listener
	server   *http.Server
	all      sync.WaitGroup // the accept loop and every connection
	closing  atomic.Bool
}

// listen listens on an address; errors name the flag that chooses it. Nothing
// is answered before start.
func listen(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use: end what listens there, or choose another with %s", address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return l, nil
}

func isLoopback(l net.Listener) bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// urlOf returns the URL at which a client on this machine reaches the listener.
func urlOf(l net.Listener) string {
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "http://" + l.Addr().String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

func newWeb(l net.Listener, h http.Handler, log *slog.Logger) *web {
	w := &web{listener: l}
	w.server = &http.Server{
		Handler: h, ConnState: w.track, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, DisableGeneralOptionsHandler: true, Protocols: new(http.Protocols),
	}
	w.server.Protocols.SetHTTP1(true)
	return w
}

// start answers until stop. An error that ends it earlier is passed to failed.
func (w *web) start(failed func(error)) {
	w.all.Go(func() {
		if err := w.server.Serve(w.listener); !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	})
}

// track counts connections, and closes those that are accepted while the server
// closes: Shutdown does not.
func (w *web) track(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		w.all.Add(1)
		if w.closing.Load() {
			_ = c.Close()
		}
	case http.StateClosed:
		w.all.Done()
	}
}

// stop waits up to grace for calls to end, then closes their connections. It
// returns when none is left.
func (w *web) stop(grace time.Duration) {
	w.closing.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := w.server.Shutdown(ctx); err != nil {
		_ = w.server.Close()
	}
	_ = w.listener.Close() // for one that was never started
	w.all.Wait()
}
