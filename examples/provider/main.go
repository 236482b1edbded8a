// Command provider is a small token endpoint and an API beside it, for
// docs/tutorial.md. It serves HTTPS on this machine with a certificate of a
// private CA, which it makes at its first start.
package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

func main() {
	listen := flag.String("listen", "localhost:8443", "listen on this `ADDRESS`")
	folder := flag.String("dir", "tutorial", "keep the private CA in this `FOLDER`")
	lifetime := flag.Duration("lifetime", 2*time.Minute, "how long a token lives, as a `DURATION`")
	flag.Parse()
	if err := serve(*listen, *folder, *lifetime); err != nil {
		fmt.Fprintln(os.Stderr, "provider:", err)
		os.Exit(1)
	}
}

// serve serves until it fails.
func serve(listen, folder string, lifetime time.Duration) error {
	ca, err := openAuthority(folder)
	if err != nil {
		return err
	}
	certificate, err := ca.issue("localhost")
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return errors.New("expected a TCP address")
	}
	fmt.Printf("The provider listens on https://localhost:%d; its CA is in %s.\n",
		address.Port, filepath.Join(folder, caFile))
	server := &http.Server{
		Handler:           newProvider(lifetime).routes(),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: 5 * time.Second,
	}
	return server.ServeTLS(listener, "", "")
}
