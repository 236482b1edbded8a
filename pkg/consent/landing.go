package consent

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Landing is where a person's browser comes back to: a server on this machine's loopback address, for one visit.
type Landing struct {
	listener net.Listener
	redirect *url.URL // where the provider sends the browser
	begin    string   // the path of the link, below redirect's: its last part is random
}

// defaultPath is the path of a landing that is not told any.
const defaultPath = "/connected"

// Listen takes the address of a redirect URI that is registered at the provider, http://127.0.0.1:8080/callback; "": any free port of 127.0.0.1 (RFC 8252 §7.3).
// Nothing is answered before [Landing.Wait].
func Listen(redirect string) (*Landing, error) {
	if redirect == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return newLanding(l, &url.URL{Scheme: "http", Host: l.Addr().String(), Path: defaultPath}), nil
	}
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme != "http" || u.User != nil || strings.Contains(redirect, "#") || !isLoopback(u.Hostname()) {
		return nil, errors.New("the redirect URI: expected http, and a loopback address of this machine")
	}
	l, err := net.Listen("tcp", addressOf(u))
	if err != nil {
		return nil, fmt.Errorf("the redirect URI: %w", err)
	}
	return newLanding(l, u), nil
}

func newLanding(l net.Listener, redirect *url.URL) *Landing {
	return &Landing{listener: l, redirect: redirect, begin: strings.TrimSuffix(redirect.Path, "/") + "/" + rand.Text()}
}

// addressOf is what to listen on. A name is not looked up: localhost is 127.0.0.1.
func addressOf(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if _, err := netip.ParseAddr(host); err != nil {
		host = "127.0.0.1"
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(host, port)
}

// RedirectURI is where the provider has to send the person's browser.
func (l *Landing) RedirectURI() string { return l.redirect.String() }

// Link leads a browser to the authorize page. It may stand in a command line, where others can read it: the browser that opens it first is the only one that is led on, and the only one whose answer is taken.
func (l *Landing) Link() string {
	return (&url.URL{Scheme: l.redirect.Scheme, Host: l.redirect.Host, Path: l.begin}).String()
}

// Close gives the address back. After Wait it does nothing.
func (l *Landing) Close() { _ = l.listener.Close() }

// Reception is what becomes of a person's answer.
type Reception struct {
	Visit   *Visit
	Keep    func(ctx context.Context, code redact.String) error // has the code exchanged and the grant kept; called once at most
	Done    string                                              // what the person reads once Keep has returned nil
	Explain func(error) string                                  // what the person reads of an error
}

// ErrTwoBrowsers is the error of a link that was opened by one browser and then by another: one of them may be a stranger's.
var ErrTwoBrowsers = errors.New("the address was opened in two browsers, one of which may be somebody else's: nothing was stored")

const (
	headerTime = 10 * time.Second
	answerTime = 2 * time.Minute // longer than Keep may take
	maxHeader  = 32 << 10        // bytes; a code can be long
	grace      = 2 * time.Second // for answers that are under way at the end: all that takes long is over by then
)

// Wait leads the person's browser to the authorize page, takes one answer, and returns what became of it: Keep's error, or that of [Visit.Code].
// An answer whose state is another's does not end the waiting: any page in the browser could send one, and it proves nothing about the right one. ctx ends the waiting, and not a Keep that has begun.
func (l *Landing) Wait(ctx context.Context, r Reception) error {
	h := &host{Landing: l, Reception: r, outcome: make(chan error, 1)}
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: answerTime, MaxHeaderBytes: maxHeader,
		ErrorLog: log.New(io.Discard, "", 0), // it would quote addresses
	}
	server.SetKeepAlivesEnabled(false)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l.listener) }()
	var err error
	select {
	case err = <-h.outcome:
	case err = <-served:
		return err
	case <-ctx.Done():
		if err = context.Cause(ctx); !h.take() {
			err = <-h.outcome
		}
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if server.Shutdown(end) != nil {
		_ = server.Close()
	}
	<-served
	return err
}
