package simulator

import (
	"encoding/json"
	"fmt"
	"time"
)

// state is what the providers remember of the tokens that they have issued, by
// name. Clients, faults and unredeemed codes are no part of it.
type state map[string]providerState

type providerState struct {
	Families int            `json:"families"`
	Access   []accessState  `json:"access"`
	Refresh  []refreshState `json:"refresh"`
}

type grantState struct {
	Client  string `json:"client"`
	Scope   string `json:"scope,omitempty"`
	Subject string `json:"subject,omitempty"`
}

type accessState struct {
	grantState
	Value    string    `json:"value"`
	Family   int       `json:"family"`
	Issued   time.Time `json:"issued"`
	Expires  time.Time `json:"expires"`
	Revoked  bool      `json:"revoked,omitempty"`
	Replaces string    `json:"replaces,omitempty"`
}

type refreshState struct {
	grantState
	Value    string    `json:"value"`
	Family   int       `json:"family"`
	Expires  time.Time `json:"expires,omitzero"`
	Redeemed bool      `json:"redeemed,omitempty"`
	Revoked  bool      `json:"revoked,omitempty"`
	Access   string    `json:"access"` // issued with it
}

// mostUseless is how many refresh tokens that no longer work a state has.
const mostUseless = 100

// State returns the tokens that the providers have issued and that have not
// expired, as JSON for [Simulator.Restore]. Of the refresh tokens that no
// longer work it has the newest.
func (s *Simulator) State() ([]byte, error) {
	all := state{}
	for name, p := range s.providers {
		p.mu.Lock()
		all[name] = p.state(time.Now())
		p.mu.Unlock()
	}
	return json.Marshal(all)
}

func (p *provider) state(now time.Time) providerState {
	s := providerState{Families: p.families}
	for _, value := range p.accessTokens.order {
		if a := p.accessTokens.items[value]; now.Before(a.expires) {
			s.Access = append(s.Access, accessState{
				a.grant.state(), a.value, a.family, a.issued, a.expires, a.revoked, a.replaces,
			})
		}
	}
	newest := max(0, len(p.refreshTokens.order)-mostUseless)
	for i, value := range p.refreshTokens.order {
		r := p.refreshTokens.items[value]
		useless := r.redeemed || r.revoked
		if !r.hasExpired(now) && (i >= newest || !useless) {
			s.Refresh = append(s.Refresh, refreshState{
				r.grant.state(), r.value, r.family, r.expires, r.redeemed, r.revoked, r.access.value,
			})
		}
	}
	return s
}

func (g grant) state() grantState { return grantState{g.client, g.scope, g.subject} }

func (g grantState) grant() grant { return grant{g.Client, g.Scope, g.Subject} }

// Restore gives a new simulator the tokens of another one's [Simulator.State].
func (s *Simulator) Restore(saved []byte) error {
	var all state
	if err := json.Unmarshal(saved, &all); err != nil {
		return fmt.Errorf("simulator: restore: %w", err)
	}
	for name, of := range all {
		if err := s.with(name, func(p *provider) { p.restore(of) }); err != nil {
			return err
		}
	}
	return nil
}

func (p *provider) restore(s providerState) {
	p.families = s.Families
	for _, a := range s.Access {
		p.accessTokens.put(a.Value, &access{
			grant: a.grant(), value: a.Value, family: a.Family, issued: a.Issued, expires: a.Expires,
			revoked: a.Revoked, replaces: a.Replaces,
		}, maxAccess, func(*access) bool { return false })
	}
	for _, r := range s.Refresh {
		restored := &refresh{
			grant: r.grant(), value: r.Value, family: r.Family, expires: r.Expires,
			redeemed: r.Redeemed, revoked: r.Revoked,
		}
		a, ok := p.accessTokens.get(r.Access)
		if !ok { // it has expired
			a = &access{grant: restored.grant, value: r.Access, family: r.Family}
		}
		restored.access, a.refresh = a, restored
		p.refreshTokens.put(r.Value, restored, maxRefresh, func(*refresh) bool { return false })
	}
}
