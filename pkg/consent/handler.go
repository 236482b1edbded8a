package consent

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"net/http"
	"path"
	"strings"
	"sync"
)

// handler serves the user's browser.
type handler struct {
	*CallbackServer
	Handler
	outcome chan error // what Wait returns; one is sent

	mu sync.Mutex
	// browser is the cookie of the browser that opened the link; "" before
	// that.
	browser string
	// taken reports that a response was accepted, or that nobody waits any
	// more.
	taken bool
}

// ServeHTTP serves the server's own host name alone. A name that somebody has
// pointed to this address is another one (DNS rebinding).
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	switch {
	case hostOf(r.Host) != hostOf(h.redirect.Host):
		otherHost.show(w)
	case r.URL.Path != h.begin && r.URL.Path != pathOf(h.redirect.Path):
		nothingHere.show(w)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		notAllowed.show(w)
	case r.URL.Path == h.begin:
		h.authorize(w, r)
	default:
		h.callback(w, r)
	}
}

func hostOf(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":80") }

func pathOf(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// authorize redirects the browser to the authorization endpoint. A cookie binds
// the state to the browser (RFC 9700 §4.7.1).
func (h *handler) authorize(w http.ResponseWriter, r *http.Request) {
	switch known, first := h.meet(r); {
	case !known:
		if h.take() {
			h.outcome <- ErrTwoBrowsers
		}
		twoBrowsers.show(w)
		return
	case first:
		http.SetCookie(w, h.cookie(h.browser, 0))
	}
	w.Header().Set("Location", h.Request.Page().Reveal())
	w.WriteHeader(http.StatusFound)
}

// cookie returns the cookie that identifies a browser. Its name differs for
// each server: a browser keeps cookies by host, whatever the port. With an age
// of 0 the cookie lasts for the session; a negative age deletes it.
func (h *handler) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{ // #nosec G124 -- not Secure: on loopback there is no TLS
		Name:     "tokenvend-" + path.Base(h.begin),
		Value:    value,
		Path:     pathOf(h.redirect.Path),
		MaxAge:   age,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// meet reports whether a browser is the one that opened the link first.
func (h *handler) meet(r *http.Request) (known, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.browser == "" && !h.taken {
		h.browser = rand.Text()
		return true, true
	}
	return h.knows(r), false
}

// knows reports whether the request has the browser's cookie. The caller holds
// h.mu.
func (h *handler) knows(r *http.Request) bool {
	shown, err := r.Cookie(h.cookie("", 0).Name)
	return err == nil && h.browser != "" && subtle.ConstantTimeCompare([]byte(shown.Value), []byte(h.browser)) == 1
}

func (h *handler) isKnown(r *http.Request) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.knows(r)
}

// take reports whether the caller's response is the one that counts.
func (h *handler) take() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := !h.taken
	h.taken = true
	return mine
}

// callback accepts the response, has it stored, and then tells the user the
// outcome.
func (h *handler) callback(w http.ResponseWriter, r *http.Request) {
	response, err := h.Request.Response(r.URL.RawQuery)
	switch {
	case errors.Is(err, ErrStateMismatch) || !h.isKnown(r):
		stranger.show(w)
		return
	case !h.take():
		already.show(w)
		return
	}
	http.SetCookie(w, h.cookie("", -1)) // deletes it
	said := errors.New("it ended in a panic")
	defer func() { h.outcome <- said }()
	if err == nil {
		// Closing the window does not cancel the exchange.
		err = h.Keep(context.WithoutCancel(r.Context()), response)
	}
	said = err
	resultPage(h.Handler, err).show(w)
}

// resultPage returns the page of an outcome.
func resultPage(h Handler, err error) page {
	if err != nil {
		return page{
			Status: http.StatusBadGateway,
			Title:  "This did not work",
			Text:   "tokenvend connect says: " + h.Explain(err),
		}
	}
	return page{Status: http.StatusOK, Title: "Connected", Text: h.Done}
}
