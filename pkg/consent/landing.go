package consent

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Landing is where a person's browser comes back to: a server on this machine's
// loopback addresses, for one visit.
type Landing struct {
	listeners []net.Listener
	redirect  *url.URL // where the provider sends the browser
	begin     string   // the path of the link, below redirect's: its last part is random
}

// defaultPath is the path of a landing that is not told any.
const defaultPath = "/connected"

// Listen takes the addresses of a redirect URI that is registered at the
// provider, such as http://127.0.0.1:8080/callback; "": any free port of
// 127.0.0.1 (RFC 8252 §7.3). Nothing is answered before [Landing.Wait].
func Listen(redirect string) (*Landing, error) {
	if redirect == "" {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return newLanding([]net.Listener{l}, &url.URL{Scheme: "http", Host: l.Addr().String(), Path: defaultPath}), nil
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
	return newLanding(listeners, u), nil
}

func newLanding(listeners []net.Listener, redirect *url.URL) *Landing {
	begin := strings.TrimSuffix(redirect.Path, "/") + "/" + rand.Text()
	return &Landing{listeners: listeners, redirect: redirect, begin: begin}
}

// RedirectURI is where the provider has to send the person's browser.
func (l *Landing) RedirectURI() string { return l.redirect.String() }

// Link leads a browser to the authorize page. It may stand in a command line, where others can read it: the browser that opens it first is the only one that is led on, and the only one whose answer is taken.
func (l *Landing) Link() string {
	return (&url.URL{Scheme: l.redirect.Scheme, Host: l.redirect.Host, Path: l.begin}).String()
}

// Close gives the addresses back. After Wait it does nothing.
func (l *Landing) Close() {
	for _, one := range l.listeners {
		_ = one.Close()
	}
}

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
	var serving sync.WaitGroup
	broken := make(chan error, len(l.listeners))
	for _, one := range l.listeners {
		serving.Go(func() {
			if err := server.Serve(one); !errors.Is(err, http.ErrServerClosed) {
				broken <- err
			}
		})
	}
	var err error
	select {
	case err = <-h.outcome:
	case err = <-broken:
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
	serving.Wait()
	return err
}
