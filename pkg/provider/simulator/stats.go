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

// Stats counts what happened since the start, or since [Simulator.Reset]. It
// holds no secret.
type Stats struct {
	Providers map[string]Counts `json:"providers"`
	Log       []Event           `json:"log"` // oldest first
}

// Counts is the counts of one provider.
type Counts struct {
	TokenRequests   int `json:"token_requests"`   // token requests, without the next two
	RefreshRequests int `json:"refresh_requests"` // with a refresh token
	CodeRequests    int `json:"code_requests"`    // with an authorization code
	OtherRequests   int `json:"other_requests"`   // authorize, verify, revoke, and unknown paths
	ConcurrentMax   int `json:"concurrent_max"`   // the maximum of simultaneous requests of any kind
	Issued          int `json:"issued"`           // token responses that the provider made, lost ones included
	Rejected        int `json:"rejected"`         // requests that the provider itself refused
	Faulted         int `json:"faulted"`          // requests that a fault applied to
	Living          int `json:"living"`           // access tokens that are valid now
	// requests with a refresh token that was redeemed before
	Reused int `json:"reused"`
	// of these, the requests before the expiry of the access token that came
	// with it, revoked or not
	ReusedEarly int `json:"reused_early"`
	// requests by the fingerprint of the refresh token: the first 16 hex digits
	// of its SHA-256
	RefreshUses map[string]int `json:"refresh_uses"`
	Fault       *Fault         `json:"fault,omitempty"` // the current fault
}

// Event is one request.
type Event struct {
	Time     time.Time `json:"time"`
	Provider string    `json:"provider"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`   // "" for an unknown path
	Kind     string    `json:"kind"`   // token, refresh, code, authorize, verify, revoke, other
	Grant    string    `json:"grant"`  // client_credentials, refresh_token or authorization_code; "" for anything else
	Status   int       `json:"status"` // 0: no response
	// issued, verified, revoked, an error code, fault, dropped, refused or
	// left; shown or allowed for the authorize page
	Outcome string `json:"outcome"`
}

func (n *Counts) countRequest(kind string) {
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

// countUse counts a request with a refresh token.
func (n *Counts) countUse(r *refresh, now time.Time) {
	r.uses++
	if !r.redeemed {
		return
	}
	n.Reused++
	if now.Before(r.access.expires) {
		n.ReusedEarly++
	}
}

// Stats returns the counts and the log.
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
	for _, r := range p.refreshTokens.items {
		if r.uses > 0 {
			n.RefreshUses[fingerprint(r.value)] = r.uses
		}
	}
	for _, a := range p.accessTokens.items {
		if a.isValid(now) {
			n.Living++
		}
	}
	if f := p.currentFault(); !reflect.ValueOf(f).IsZero() {
		n.Fault = &f
	}
	return n
}

// Reset clears the counts and the log. Tokens, clients and faults stay.
func (s *Simulator) Reset() {
	for name := range s.providers {
		_ = s.with(name, (*provider).reset)
	}
	s.log.clear()
}

func (p *provider) reset() {
	p.counts = Counts{}
	for _, r := range p.refreshTokens.items {
		r.uses = 0
	}
}

func fingerprint(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:8])
}

// event returns the log entry of a request. It quotes nothing that a client may
// have put in the wrong place.
func (c *call) event(a response, err error) Event {
	e := Event{
		Time:     c.now,
		Provider: c.name,
		Method:   knownMethod(c.method),
		Kind:     c.kind,
		Status:   a.status,
		Outcome:  cmp.Or(outcomeWithout(err), a.outcome),
	}
	if c.route != nil {
		e.Path = c.path
	}
	switch {
	case c.kind == kindRefresh:
		e.Grant = refreshToken
	case c.kind == kindCode:
		e.Grant = authorizationCode
	case c.kind == kindToken && (c.refreshesClients || c.param("grant_type") == clientCredentials):
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

// outcomeWithout returns the outcome of a request without a response.
func outcomeWithout(err error) string {
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

// requestLog keeps the last requests.
type requestLog struct {
	mu     sync.Mutex
	limit  int // 0: 200
	events []Event
}

func (j *requestLog) add(e Event) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, e)
	if over := len(j.events) - cmp.Or(j.limit, 200); over > 0 {
		j.events = slices.Delete(j.events, 0, over)
	}
}

func (j *requestLog) all() []Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]Event{}, j.events...)
}

func (j *requestLog) clear() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = nil
}
