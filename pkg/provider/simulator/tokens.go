package simulator

import (
	"cmp"
	"slices"
	"strings"
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
	refresh         *refresh // came with it; nil: none
	replaces        string   // the refresh token that ends once this token is used; "": none
}

func (a *access) lives(now time.Time) bool { return !a.dead && now.Before(a.expires) }

type refresh struct {
	grant
	value       string
	family      int
	expires     time.Time // zero: never
	spent, dead bool
	uses        int
	access      *access // came with it
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
		a.replaces = from.value
	}
	c.accesses.put(a.value, a, maxAccess, func(a *access) bool { return !c.now.Before(a.expires) })
	return a
}

func (c *call) issueRefresh(a *access, g grant) *refresh {
	r := &refresh{grant: g, value: c.newRefresh(), family: a.family, access: a}
	a.refresh = r
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

// otherScope is why [call.redeem] refuses where the scope is the only thing that is wrong.
const otherScope = "The scope is not within what was granted"

// redeem spends a refresh token, for all of its scope or for the part of it that is asked for. On a refusal it returns nil and why.
func (c *call) redeem(value, client, scope string) (*refresh, string) {
	r, ok := c.refreshs.get(value)
	if !ok {
		return nil, "Cannot decrypt the refresh token"
	}
	c.counts.presented(r, c.now)
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
	case !r.covers(scope):
		return nil, otherScope
	}
	c.spend(r)
	return r, ""
}

// covers says whether the grant holds every one of the scopes (RFC 6749, section 6).
func (g grant) covers(scope string) bool {
	return Client{Scopes: append([]string{}, strings.Fields(g.scope)...)}.grants(scope)
}

// within is the grant for that part of its scope; "": for all of it.
func (g grant) within(scope string) grant {
	g.scope = cmp.Or(scope, g.scope)
	return g
}

// spend ends the access token that came with r in two cases, both for good:
//   - kills: League revokes it whatever becomes of the refresh token (RefreshTokenGrant::respondToAccessTokenRequest; only the refresh token's own end hangs on AuthorizationServer::revokeRefreshTokens).
//   - row: Doorkeeper's access and refresh token are one row, and RefreshTokenRequest#before_successful_response revokes it unless there is a column previous_refresh_token. That column is [Tolerated].
func (c *call) spend(r *refresh) {
	r.spent = true
	if c.kills || c.row && c.temper() != Tolerated {
		r.access.dead = true
	}
}

// retire ends a refresh token, for the access token that replaced what came with it was used: Doorkeeper's AccessToken#revoke_previous_refresh_token!, which OAuth::Token.authenticate calls. A refresh with the new refresh token is no such use.
func (c *call) retire(value string) {
	if r, ok := c.refreshs.get(value); ok {
		c.end(r)
	}
}

// end ends a refresh token, and in Doorkeeper's row the access token too.
func (c *call) end(r *refresh) {
	r.dead = true
	r.access.dead = r.access.dead || c.row
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
	a.replaces = ""
	return a, ""
}

// revoke ends an access or refresh token of that client, and the one that came with it: RFC 7009, section 2.1 lets a server do so, and Doorkeeper can't but do it, for they are one row. Another client's is left alone. An access token that is over is
// not revoked, and its refresh token lives (Doorkeeper's RevocableAccessToken#revocable?).
func (c *call) revoke(value, client string) (owned bool) {
	a, isAccess := c.accesses.get(value)
	r, isRefresh := c.refreshs.get(value)
	switch {
	case isAccess && a.client != client, isRefresh && r.client != client:
		return false
	case isAccess && a.lives(c.now):
		a.dead = true
		if a.refresh != nil {
			a.refresh.dead = true
		}
	case isRefresh:
		r.dead, r.access.dead = true, true
	}
	return true
}
