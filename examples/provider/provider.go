package main

import (
	"crypto/rand"
	"encoding/json"
	"log"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What the provider knows of its one client.
const (
	clientID     = "tutorial"
	clientSecret = "tutorial-secret"
	apiKey       = "tutorial-api-key"
)

// provider issues tokens, and takes them at its API.
type provider struct {
	lifetime time.Duration

	mu     sync.Mutex
	down   bool
	tokens map[string]time.Time // when they expire
}

func newProvider(lifetime time.Duration) *provider {
	return &provider{lifetime: lifetime, tokens: map[string]time.Time{}}
}

func (p *provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("POST /session", p.session)
	mux.HandleFunc("GET /hello", p.hello)
	mux.HandleFunc("PUT /outage", func(http.ResponseWriter, *http.Request) { p.setDown(true) })
	mux.HandleFunc("DELETE /outage", func(http.ResponseWriter, *http.Request) { p.setDown(false) })
	return mux
}

// token is a token endpoint as in RFC 6749 §4.4.
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	if p.isDown() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	if id, secret, _ := r.BasicAuth(); id != clientID || secret != clientSecret {
		reply(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"access_token": p.issue(), "token_type": "Bearer", "expires_in": p.lifetime.Seconds(),
	})
}

// session issues tokens in a way of its own: an API key in JSON, and a response
// that RFC 6749 does not know.
func (p *provider) session(w http.ResponseWriter, r *http.Request) {
	var request struct{ Key string }
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil || request.Key != apiKey {
		reply(w, http.StatusForbidden, map[string]any{"message": "the API key is wrong"})
		return
	}
	reply(w, http.StatusOK, map[string]any{
		"session": map[string]any{"id": p.issue(), "minutes": p.lifetime.Minutes()},
	})
}

// hello is the API: it takes a token of either kind.
func (p *provider) hello(w http.ResponseWriter, r *http.Request) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if session := r.Header.Get("X-Session"); session != "" {
		token = session
	}
	if !p.accepts(token) {
		reply(w, http.StatusUnauthorized, map[string]any{"message": "the token is not valid"})
		return
	}
	reply(w, http.StatusOK, map[string]any{"message": "hello, " + clientID})
}

// issue returns a new token.
func (p *provider) issue() string {
	token := rand.Text()
	p.mu.Lock()
	p.tokens[token] = time.Now().Add(p.lifetime)
	p.mu.Unlock()
	log.Print("issued a token")
	return token
}

func (p *provider) accepts(token string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.tokens[token])
}

func (p *provider) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *provider) setDown(down bool) {
	p.mu.Lock()
	p.down = down
	p.mu.Unlock()
	log.Printf("down: %t", down)
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.Print(err)
	}
}
