// Package httpserver serves HTTP on one address, with limits on what a client
// may send and how long it may take. It ends without a goroutine left.
package httpserver

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
	idleTime   = time.Minute
	maxHeader  = 16 << 10 // bytes
	// margin is how much longer than a call may take its request may be read,
	// and then its response written. net/http cancels a call when the read time
	// of its connection ends.
	margin = 15 * time.Second
)

// Server is an HTTP server on one address.
type Server struct {
	listener   net.Listener
	server     *http.Server
	goroutines sync.WaitGroup // the accept loop and every connection
	closing    atomic.Bool
}

// Listen listens on an address. Its errors name the flag that chooses the
// address.
func Listen(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("the address %s is in use: end what listens there, or choose another with "+
			"%s", address, flag)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return l, nil
}

// New returns a server on a listener. It answers nothing before
// [Server.Start]. callTime is how long a call may take.
func New(l net.Listener, callTime time.Duration, log *slog.Logger) *Server {
	s := &Server{listener: l}
	s.server = &http.Server{
		ConnState: s.track, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: headerTime, ReadTimeout: callTime + margin, WriteTimeout: callTime + 2*margin,
		IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		DisableGeneralOptionsHandler: true, Protocols: new(http.Protocols),
	}
	s.server.Protocols.SetHTTP1(true)
	return s
}

// IsLoopback reports whether only clients on this machine reach the server.
func (s *Server) IsLoopback() bool {
	tcp, ok := s.listener.Addr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// URL returns the URL at which a client on this machine reaches the server.
func (s *Server) URL() string {
	address := s.listener.Addr().String()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "http://" + address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// Start answers with h until [Server.Stop]. An error that ends the server
// earlier is passed to failed.
func (s *Server) Start(h http.Handler, failed func(error)) {
	s.server.Handler = h
	s.goroutines.Go(func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			failed(err)
		}
	})
}

// track counts connections, and closes those that are accepted while the server
// closes: Shutdown does not.
func (s *Server) track(c net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.goroutines.Add(1)
		if s.closing.Load() {
			_ = c.Close()
		}
	case http.StateClosed:
		s.goroutines.Done()
	}
}

// Stop waits up to grace for calls to end, then closes their connections. It
// returns when none is left.
func (s *Server) Stop(grace time.Duration) {
	s.closing.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := s.server.Shutdown(ctx); err != nil {
		_ = s.server.Close()
	}
	_ = s.listener.Close() // for a server that was never started
	s.goroutines.Wait()
}
