package consent

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/loopback"
)

// CallbackServer receives the redirect of one authorization request, on the
// loopback addresses of this machine.
type CallbackServer struct {
	listeners []net.Listener
	redirect  *url.URL // the redirect URI
	// begin is the path of the link, below that of redirect. Its last part is
	// random.
	begin string
}

// defaultPath is the path of a redirect URI that is not configured.
const defaultPath = "/connected"

// Listen listens at a redirect URI that is registered at the provider, such as
// http://127.0.0.1:8080/callback. "" means any free port of 127.0.0.1 (RFC 8252
// §7.3). Requests are served from [CallbackServer.Wait] on.
func Listen(redirect string) (*CallbackServer, error) {
	if redirect == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return newServer([]net.Listener{l}, &url.URL{Scheme: "http", Host: l.Addr().String(), Path: defaultPath}), nil
	}
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || u.User != nil || strings.Contains(redirect, "#") ||
		!loopback.IsHost(u.Hostname()) || u.Port() == "0" {
		return nil, errors.New("the redirect URI: expected http, and a loopback address of this machine")
	}
	listeners, err := listenAll(u)
	if err != nil {
		return nil, err
	}
	return newServer(listeners, u), nil
}

func newServer(listeners []net.Listener, redirect *url.URL) *CallbackServer {
	begin := strings.TrimSuffix(redirect.Path, "/") + "/" + rand.Text()
	return &CallbackServer{listeners: listeners, redirect: redirect, begin: begin}
}

// RedirectURI returns the redirect URI for the authorization request.
func (l *CallbackServer) RedirectURI() string { return l.redirect.String() }

// Link returns a URL that redirects to the authorization endpoint. It may stand
// in a command line, where others can read it: only the browser that opens it
// first is redirected, and only the response of that browser is accepted.
func (l *CallbackServer) Link() string {
	return (&url.URL{Scheme: l.redirect.Scheme, Host: l.redirect.Host, Path: l.begin}).String()
}

// Close stops listening. After Wait it does nothing.
func (l *CallbackServer) Close() {
	for _, one := range l.listeners {
		_ = one.Close()
	}
}

// Handler says what to do with the authorization response.
type Handler struct {
	Request *Request
	// Keep exchanges the code and stores the grant. It is called at most once.
	Keep func(ctx context.Context, response Response) error
	// Done is the text for the user once Keep has returned nil.
	Done string
	// Explain returns the text for the user after an error.
	Explain func(error) string
}

// ErrTwoBrowsers is the error of a link that two browsers opened: one of them
// may be another user's.
var ErrTwoBrowsers = errors.New(
	"the address was opened in two browsers, one of which may be somebody else's: nothing was stored")
