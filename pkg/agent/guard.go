package agent

import (
	"net"
	"net/http"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// KeyHeader is the header in which a caller sends the agent's key.
const KeyHeader = "Tokenvend-Agent-Key"

// Guard passes requests on that carry the key, or as client_secret at the token
// endpoint. It refuses those of web pages: a page cannot send the header to
// another origin, since no answer allows it to (Fetch Standard, "CORS
// protocol"); it sends Origin; and a name of its own that was pointed at this
// machine (DNS rebinding) stands in Host.
func Guard(key redact.String, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := check(key, r); err != nil {
			w.Header().Set("Cache-Control", "no-store")
			refuse(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func check(key redact.String, r *http.Request) error {
	switch {
	case !loopback.IsHost(hostname(r.Host)):
		return denied("the Host header: expected localhost or a loopback address")
	case len(r.Header.Values("Origin")) > 0:
		return denied("the request has an Origin header: web pages get no token")
	case key.IsZero() || !key.Equal(keyOf(r)):
		return denied("the header " + KeyHeader + ": expected the agent's key")
	}
	return nil
}

// refuse answers with an error in the form that callers of the path read.
func refuse(w http.ResponseWriter, r *http.Request, err error) {
	if r.URL.Path == tokenEndpointPath {
		writeOAuthError(w, http.StatusUnauthorized, "invalid_client", problemOf(err).Detail)
		return
	}
	writeError(w, err)
}

func denied(detail string) error { return &api.Error{Code: api.AccessDenied, Detail: detail} }

// hostname returns a Host header without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	if len(host) > 1 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}

// keyOf returns the key that a request carries. The zero value: none.
func keyOf(r *http.Request) redact.String {
	if values := r.Header.Values(KeyHeader); len(values) == 1 {
		return redact.New(values[0])
	}
	if r.URL.Path != tokenEndpointPath || r.Method != http.MethodPost {
		return redact.String{}
	}
	_, secret := clientOf(r)
	return redact.New(secret)
}
