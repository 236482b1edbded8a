// Package statuspage serves a page for people that shows how each token of a
// one-machine server is doing: its state, its expiry, its last failure with
// what to do, and recent events. It shows no token and changes nothing.
//
// The page is made on the server and works without JavaScript. A browser is
// signed in by a link that works once, see [NewLink].
package statuspage

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"time"
)

// cookieName is the name of the cookie of a session.
const cookieName = "tokenvend_ui"

// Handler returns a handler that answers /ui and all below it, and leaves all
// else to next.
func Handler(c Config, next http.Handler) http.Handler {
	p := &page{Config: c, sessions: sessions{secret: c.Secret, start: time.Now()}}
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.Handle("/ui", http.RedirectHandler("/ui/", http.StatusSeeOther))
	own := http.NewServeMux()
	own.HandleFunc("GET "+LoginPath, p.signIn)
	own.HandleFunc("POST /ui/logout", p.signOut)
	own.HandleFunc("GET /ui/{$}", p.show)
	mux.Handle("/ui/", secured(http.NewCrossOriginProtection().Handler(own)))
	// ServeMux cleans paths and redirects; those of the API stay as they are.
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ui" || len(r.URL.Path) > 3 && r.URL.Path[:4] == "/ui/" {
			mux.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// secured forbids a page to load anything, to run scripts, to be framed, to be
// stored, and to send its URL to others.
func secured(next http.Handler) http.Handler {
	sum := sha256.Sum256([]byte(style))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// signIn redeems a link and sets the cookie of a session.
func (p *page) signIn(w http.ResponseWriter, r *http.Request) {
	cookie, err := p.sessions.signIn(r.URL.Query().Get("code"), time.Now())
	if err != nil {
		p.signedOut(w, "This link does not work", err.Error()+".")
		return
	}
	http.SetCookie(w, p.cookie(cookie, int(sessionLife.Seconds())))
	http.Redirect(w, r, "/ui/", http.StatusSeeOther)
}

// signOut ends the session of the browser.
func (p *page) signOut(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(cookieName); err == nil {
		p.sessions.signOut(c.Value)
	}
	http.SetCookie(w, p.cookie("", -1))
	http.Redirect(w, r, "/ui/", http.StatusSeeOther)
}

// cookie returns the cookie of a session. It has no Secure: the server has no
// TLS of its own, and browsers would drop it on http beyond loopback.
func (p *page) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{ // #nosec G124 -- see above
		Name: cookieName, Value: value, Path: "/ui", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
}

// show answers with the page.
func (p *page) show(w http.ResponseWriter, r *http.Request) {
	c, err := r.Cookie(cookieName)
	if err != nil || !p.sessions.signedIn(c.Value, time.Now()) {
		p.signedOut(w, "Signed out", "")
		return
	}
	all, err := p.Tokens(r.Context())
	if err != nil {
		p.write(w, http.StatusServiceUnavailable, "message", message{
			Style: style, Title: "The store cannot be read", Text: "Run this command:", Command: p.command("doctor"),
		})
		return
	}
	p.write(w, http.StatusOK, "status", p.tokens(all, choiceOf(r.URL.Query()), time.Now()))
}

// signedOut says how to sign in.
func (p *page) signedOut(w http.ResponseWriter, title, text string) {
	if text != "" {
		text += " "
	}
	p.write(w, http.StatusUnauthorized, "message", message{
		Style: style, Title: title, Text: text + "This command prints a link that signs this browser in:",
		Command: p.command("ui"),
	})
}

func (p *page) command(command string) string {
	if p.Command == nil {
		return "tokenvend " + command
	}
	return p.Command(command)
}
