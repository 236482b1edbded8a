package simulator

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"
)

// Stats is what has happened since the start, or since [Simulator.Reset]. It holds no secret.
type Stats struct {
	Providers map[string]Counts `json:"providers"`
	Log       []Event           `json:"log"` // oldest first
}

// Counts are one provider's.
type Counts struct {
	TokenRequests   int            `json:"token_requests"`   // for a token, but for the next two
	RefreshRequests int            `json:"refresh_requests"` // with a refresh token
	CodeRequests    int            `json:"code_requests"`    // with an authorization code
	OtherRequests   int            `json:"other_requests"`   // authorize, verify, revoke, and what is at no known path
	ConcurrentMax   int            `json:"concurrent_max"`   // most requests at one time, of any kind
	Issued          int            `json:"issued"`           // token answers that the provider made, lost ones included
	Rejected        int            `json:"rejected"`         // requests that the provider itself refused
	Faulted         int            `json:"faulted"`          // requests that a fault applied to
	Living          int            `json:"living"`           // access tokens that are good now
	Reused          int            `json:"reused"`           // how often a refresh token that was spent already reached the provider
	ReusedEarly     int            `json:"reused_early"`     // of these, how often before the time at which the access token that came with it was to end, be that dead or alive
	RefreshUses     map[string]int `json:"refresh_uses"`     // how often each refresh token reached the provider, by fingerprint: the first 16 hex digits of its SHA-256
	Fault           *Fault         `json:"fault,omitempty"`  // in force now
}

// Event is one request.
type Event struct {
	Time     time.Time `json:"time"`
	Provider string    `json:"provider"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`    // "" for a path that the provider does not have
	Kind     string    `json:"kind"`    // token, refresh, code, authorize, verify, revoke, other
	Grant    string    `json:"grant"`   // client_credentials, refresh_token or authorization_code; "" for anything else
	Status   int       `json:"status"`  // 0: there was no answer
	Outcome  string    `json:"outcome"` // issued, verified, revoked, an error's code, fault, dropped, refused, left; of the authorize page also shown, allowed
}

func (n *Counts) arrived(kind string) {
	switch kind {
	case kindToken:
		n.TokenRequests++
	case kindRefresh:
		n.RefreshRequests++
	case kindCode:
		n.CodeRequests++
	default:
		n.OtherRequests++
	}
}

// presented counts a refresh token that has reached the provider.
func (n *Counts) presented(r *refresh, now time.Time) {
	r.uses++
	if !r.spent {
		return
	}
	n.Reused++
	if now.Before(r.access.expires) {
		n.ReusedEarly++
	}
}

// Stats returns a copy.
func (s *Simulator) Stats() Stats {
	st := Stats{Providers: map[string]Counts{}, Log: s.log.all()}
	for name := range s.providers {
		_ = s.with(name, func(p *provider) { st.Providers[name] = p.stats(time.Now()) })
	}
	return st
}

func (p *provider) stats(now time.Time) Counts {
	n := p.counts
	n.RefreshUses = map[string]int{}
	for _, r := range p.refreshs.items {
		if r.uses > 0 {
			n.RefreshUses[fingerprint(r.value)] = r.uses
		}
	}
	for _, a := range p.accesses.items {
		if a.lives(now) {
			n.Living++
		}
	}
	if f := p.standing(); !reflect.ValueOf(f).IsZero() {
		n.Fault = &f
	}
	return n
}

// Reset forgets all counts and the log. Tokens, clients and faults stay.
func (s *Simulator) Reset() {
	for name := range s.providers {
		_ = s.with(name, (*provider).reset)
	}
	s.log.clear()
}

func (p *provider) reset() {
	p.counts = Counts{}
	for _, r := range p.refreshs.items {
		r.uses = 0
	}
}

func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:8])
}

// event says what is known of the request without repeating what a client may have put in the wrong place.
func (c *call) event(a answer, err error) Event {
	e := Event{Time: c.now, Provider: c.name, Method: knownMethod(c.method), Kind: c.kind, Status: a.status, Outcome: cmp.Or(missing(err), a.outcome)}
	if c.route != nil {
		e.Path = c.path
	}
	switch {
	case c.kind == kindRefresh:
		e.Grant = refreshToken
	case c.kind == kindCode:
		e.Grant = authorizationCode
	case c.kind == kindToken && (c.machines || c.param("grant_type") == clientCredentials):
		e.Grant = clientCredentials
	}
	return e
}

func knownMethod(m string) string {
	if slices.Contains([]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}, m) {
		return m
	}
	return "other"
}

// missing says why there was no answer.
func missing(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errRefused):
		return "refused"
	case errors.Is(err, errDropped):
		return "dropped"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "left"
	}
	return "broken"
}

// journal keeps the last events.
type journal struct {
	mu     sync.Mutex
	limit  int // 0: 200
	events []Event
}

func (j *journal) add(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	if over := len(j.events) - cmp.Or(j.limit, 200); over > 0 {
		j.events = slices.Delete(j.events, 0, over)
	}
}

func (j *journal) all() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Event{}, j.events...)
}

func (j *journal) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = nil
}
