// Command bare is the least HTTP server of net/http: it answers everything with
// what a vend is answered with, headers too, and looks at nothing.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

const answer = `{"access_token":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef","token_type":"Bearer","expires_in":3599,` +
	`"expires_at":"2026-11-22T09:56:32.399Z","cache_until":"2026-11-22T09:28:20.397Z","scope":"read","fingerprint":"9f86d081884c7d65"}`

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(l.Addr())
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Cache-Control", "no-store")
		h.Set("Pragma", "no-cache")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Apigw-Requestid", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
		_, _ = w.Write([]byte(answer)) // an error means that nobody listens any more
	})
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: handler}
	fmt.Fprintln(os.Stderr, server.Serve(l))
	os.Exit(1)
}
