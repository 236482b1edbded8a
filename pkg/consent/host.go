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

// host answers the browser.
type host struct {
	*Landing
	Reception
	outcome chan error // what Wait returns; one is sent

	mu      sync.Mutex
	browser string // what the browser that opened the link was given to show; "": none did
	taken   bool   // an answer was, or nobody waits for one any more
}

// ServeHTTP answers at the landing's own address, and nowhere else: a name that somebody has pointed here is not it (DNS rebinding).
func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	secured(w.Header())
	switch {
	case hostOf(r.Host) != hostOf(h.redirect.Host):
		otherHost.show(w)
	case r.URL.Path != h.begin && r.URL.Path != pathOf(h.redirect.Path):
		nothingHere.show(w)
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		notAllowed.show(w)
	case r.URL.Path == h.begin:
		h.lead(w, r)
	default:
		h.arrive(w, r)
	}
}

func hostOf(host string) string { return strings.TrimSuffix(strings.ToLower(host), ":80") }

func pathOf(path string) string {
	if path == "" {
		return "/"
	}
	return path
}

// lead sends the browser to the authorize page, with a mark by which it is known when it comes back (RFC 9700 §4.7.1: the state is bound to it).
func (h *host) lead(w http.ResponseWriter, r *http.Request) {
	switch known, first := h.meet(r); {
	case !known:
		if h.take() {
			h.outcome <- ErrTwoBrowsers
		}
		twoBrowsers.show(w)
		return
	case first:
		http.SetCookie(w, h.mark(h.browser, 0))
	}
	w.Header().Set("Location", h.Visit.Page().Reveal())
	w.WriteHeader(http.StatusFound)
}

// mark is the cookie that a browser is given to show. Its name is one for each landing: a browser keeps cookies by host, whatever the port. An age of 0 is the browser's own, one below it an end.
func (h *host) mark(value string, age int) *http.Cookie {
	return &http.Cookie{Name: "tokenvend-" + path.Base(h.begin), Value: value, Path: pathOf(h.redirect.Path), MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode} // #nosec G124 -- not Secure: on loopback there is no TLS
}

// meet says whether a browser is the one that opened the link first.
func (h *host) meet(r *http.Request) (known, first bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.browser == "" && !h.taken {
		h.browser = rand.Text()
		return true, true
	}
	return h.knows(r), false
}

// knows is called with h.mu held.
func (h *host) knows(r *http.Request) bool {
	shown, err := r.Cookie(h.mark("", 0).Name)
	return err == nil && h.browser != "" && subtle.ConstantTimeCompare([]byte(shown.Value), []byte(h.browser)) == 1
}

func (h *host) isKnown(r *http.Request) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.knows(r)
}

// take says whether the caller is the one whose answer counts.
func (h *host) take() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := !h.taken
	h.taken = true
	return mine
}

// arrive takes the answer, has it kept, and only then tells the person what became of it.
func (h *host) arrive(w http.ResponseWriter, r *http.Request) {
	code, err := h.Visit.Code(r.URL.RawQuery)
	switch {
	case errors.Is(err, ErrStranger) || !h.isKnown(r):
		stranger.show(w)
		return
	case !h.take():
		already.show(w)
		return
	}
	http.SetCookie(w, h.mark("", -1)) // it is forgotten
	said := errors.New("it ended in a panic")
	defer func() { h.outcome <- said }()
	if err == nil {
		err = h.Keep(context.WithoutCancel(r.Context()), code) // who closes the window does not call it off
	}
	said = err
	h.told(err).show(w)
}

func (h *host) told(err error) page {
	if err != nil {
		return page{Status: http.StatusBadGateway, Title: "This did not work", Text: "tokenvend connect says: " + h.Explain(err)}
	}
	return page{Status: http.StatusOK, Title: "Connected", Text: h.Done}
}
