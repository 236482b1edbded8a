package simulator

import (
	"slices"
	"time"
)

// The most tokens one provider remembers; the oldest are forgotten first.
const (
	maxAccess  = 100_000
	maxRefresh = 20_000
)

// grant is what a token is issued for.
type grant struct {
	client, scope string
	subject       string // the person; "" for client credentials
}

type access struct {
	grant
	value           string
	family          int
	issued, expires time.Time
	dead            bool
	replaces        *refresh // dies once this token is used
}

func (a *access) lives(now time.Time) bool { return !a.dead && now.Before(a.expires) }

type refresh struct {
	grant
	value       string
	family      int
	expires     time.Time // zero: never
	spent, dead bool
	uses        int
	access      *access  // came with it
	replaces    *refresh // dies once this token is used
}

func (r *refresh) over(now time.Time) bool { return !r.expires.IsZero() && !now.Before(r.expires) }

// shelf keeps values by name, oldest first, and forgets.
type shelf[T any] struct {
	items map[string]T
	order []string
}

func (s *shelf[T]) get(name string) (T, bool) {
	v, ok := s.items[name]
	return v, ok
}

// put also drops from the old end: what is useless, and whatever is beyond most.
func (s *shelf[T]) put(name string, v T, most int, useless func(T) bool) {
	if s.items == nil {
		s.items = map[string]T{}
	}
	for len(s.order) > 0 && (len(s.order) >= most || useless(s.items[s.order[0]])) {
		delete(s.items, s.order[0])
		s.order = s.order[1:]
	}
	s.items[name] = v
	s.order = append(s.order, name)
}

// issue makes an access token, and a refresh token where the grant brings one. From is the refresh token that was redeemed; nil: a new family.
func (c *call) issue(g grant, from *refresh) (*access, *refresh) {
	a := c.same(g)
	if a == nil {
		a = c.issueAccess(g, from)
	}
	c.counts.Issued++
	if !c.machines && g.subject == "" {
		return a, nil
	}
	return a, c.issueRefresh(a, g)
}

func (c *call) issueAccess(g grant, from *refresh) *access {
	if c.fault.Overlap == OverlapRevokes {
		c.kill(c.now, func(a *access) bool { return a.client == g.client && a.subject == g.subject })
	}
	a := &access{grant: g, family: c.family(from), issued: c.now, expires: c.now.Add(c.life)}
	a.value = c.newAccess(c, a)
	if from != nil && c.temper() == Tolerated {
		a.replaces = from
	}
	c.accesses.put(a.value, a, maxAccess, func(a *access) bool { return !c.now.Before(a.expires) })
	return a
}

func (c *call) issueRefresh(a *access, g grant) *refresh {
	r := &refresh{grant: g, value: c.newRefresh(), family: a.family, access: a, replaces: a.replaces}
	if c.keep > 0 {
		r.expires = c.now.Add(c.keep)
	}
	c.refreshs.put(r.value, r, maxRefresh, func(r *refresh) bool { return r.over(c.now) })
	return r
}

func (c *call) family(from *refresh) int {
	if from != nil {
		return from.family
	}
	c.families++
	return c.families
}

// same finds the living token that the fault Same hands out again.
func (c *call) same(g grant) *access {
	if !c.fault.Same {
		return nil
	}
	for _, value := range slices.Backward(c.accesses.order) {
		a := c.accesses.items[value]
		if a.lives(c.now) && a.client == g.client && a.scope == g.scope && a.subject == g.subject {
			return a
		}
	}
	return nil
}

// kill ends the living access tokens that match, and says how many.
func (p *provider) kill(now time.Time, match func(*access) bool) int {
	n := 0
	for _, a := range p.accesses.items {
		if a.lives(now) && match(a) {
			a.dead = true
			n++
		}
	}
	return n
}

func (c *call) temper() Reuse {
	if c.fault.Reuse != "" {
		return c.fault.Reuse
	}
	return c.reuse
}

// redeem spends a refresh token. On a refusal it returns nil and why.
func (c *call) redeem(value, client string) (*refresh, string) {
	r, ok := c.refreshs.get(value)
	if !ok {
		return nil, "Cannot decrypt the refresh token"
	}
	r.uses++
	switch {
	case client != "" && r.client != client:
		return nil, "Token is not linked to client"
	case r.over(c.now):
		return nil, "Token has expired"
	case r.dead:
		return nil, "Token has been revoked"
	case r.spent && c.temper() == RevokesFamily:
		c.endFamily(r.family)
		return nil, "Token has been revoked"
	case r.spent && c.temper() == Refused:
		return nil, "Token has been revoked"
	}
	c.spend(r)
	return r, ""
}

func (c *call) spend(r *refresh) {
	r.spent = true
	c.retire(r.replaces)
	r.replaces, r.access.replaces = nil, nil // else a chain of all tokens that ever were
	if c.kills && c.temper() != Tolerated {
		r.access.dead = true
	}
}

// retire ends a refresh token whose replacement has been used.
func (c *call) retire(r *refresh) {
	if r != nil {
		r.dead = true
		r.access.dead = r.access.dead || c.kills
	}
}

func (c *call) endFamily(family int) {
	c.kill(c.now, func(a *access) bool { return a.family == family })
	for _, r := range c.refreshs.items {
		r.dead = r.dead || r.family == family
	}
}

// use is an API call with an access token. On a refusal it returns nil and why: unknown, revoked or expired.
func (c *call) use(value string) (*access, string) {
	a, ok := c.accesses.get(value)
	switch {
	case !ok:
		return nil, "unknown"
	case a.dead:
		return nil, "revoked"
	case !a.lives(c.now):
		return nil, "expired"
	}
	c.retire(a.replaces)
	a.replaces = nil
	return a, ""
}

// revoke ends an access or refresh token of that client, and what came with it. Another client's is left alone.
func (c *call) revoke(value, client string) (owned bool) {
	if a, ok := c.accesses.get(value); ok {
		if a.client != client {
			return false
		}
		a.dead = true
	}
	if r, ok := c.refreshs.get(value); ok {
		if r.client != client {
			return false
		}
		r.dead, r.access.dead = true, true
	}
	return true
}
