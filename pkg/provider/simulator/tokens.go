package simulator

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// The maximum of tokens per provider; the oldest are dropped.
const (
	maxAccess  = 100_000
	maxRefresh = 20_000
)

// grant is the authorization that a token is issued for.
type grant struct {
	client, scope string
	subject       string // the user; "" for client credentials
}

type access struct {
	grant
	value           string
	family          int
	issued, expires time.Time
	revoked         bool
	refresh         *refresh // issued with it; nil: none
	replaces        string   // the refresh token that is revoked once this token is used; "": none
}

func (a *access) isValid(now time.Time) bool { return !a.revoked && now.Before(a.expires) }

type refresh struct {
	grant
	value             string
	family            int
	expires           time.Time // zero: never
	redeemed, revoked bool
	uses              int
	access            *access // issued with it
}

func (r *refresh) hasExpired(now time.Time) bool {
	return !r.expires.IsZero() && !now.Before(r.expires)
}

// boundedMap keeps values by name. It drops the oldest.
type boundedMap[T any] struct {
	items map[string]T
	order []string
}

func (s *boundedMap[T]) get(name string) (T, bool) {
	v, ok := s.items[name]
	return v, ok
}

// put adds a value. It drops the oldest values that are useless, and those
// beyond most.
func (s *boundedMap[T]) put(name string, v T, most int, useless func(T) bool) {
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

// issue issues an access token, and a refresh token if the grant has one. from
// is the refresh token that was redeemed; nil: a new family.
func (c *call) issue(g grant, from *refresh) (*access, *refresh) {
	a := c.same(g)
	if a == nil {
		a = c.issueAccess(g, from)
	}
	c.counts.Issued++
	if !c.refreshesClients && g.subject == "" {
		return a, nil
	}
	return a, c.issueRefresh(a, g)
}

func (c *call) issueAccess(g grant, from *refresh) *access {
	if c.fault.Overlap == OverlapRevokes {
		c.revokeAccess(c.now, func(a *access) bool { return a.client == g.client && a.subject == g.subject })
	}
	a := &access{grant: g, family: c.family(from), issued: c.now, expires: c.now.Add(c.accessLife)}
	a.value = c.newAccess(c, a)
	if from != nil && c.reusePolicy() == Tolerated {
		a.replaces = from.value
	}
	c.accessTokens.put(a.value, a, maxAccess, func(a *access) bool { return !c.now.Before(a.expires) })
	return a
}

func (c *call) issueRefresh(a *access, g grant) *refresh {
	r := &refresh{grant: g, value: c.newRefresh(), family: a.family, access: a}
	a.refresh = r
	if c.refreshLife > 0 {
		r.expires = c.now.Add(c.refreshLife)
	}
	c.refreshTokens.put(r.value, r, maxRefresh, func(r *refresh) bool { return r.hasExpired(c.now) })
	return r
}

func (c *call) family(from *refresh) int {
	if from != nil {
		return from.family
	}
	c.families++
	return c.families
}

// same returns the valid token that the fault Same issues again.
func (c *call) same(g grant) *access {
	if !c.fault.Same {
		return nil
	}
	for _, value := range slices.Backward(c.accessTokens.order) {
		a := c.accessTokens.items[value]
		if a.isValid(c.now) && a.client == g.client && a.scope == g.scope && a.subject == g.subject {
			return a
		}
	}
	return nil
}

// revokeAccess revokes the valid access tokens that match, and returns their
// number.
func (p *provider) revokeAccess(now time.Time, match func(*access) bool) int {
	n := 0
	for _, a := range p.accessTokens.items {
		if a.isValid(now) && match(a) {
			a.revoked = true
			n++
		}
	}
	return n
}

func (c *call) reusePolicy() Reuse {
	if c.fault.Reuse != "" {
		return c.fault.Reuse
	}
	return c.reuse
}

// otherScope is the reason of [call.redeem] if nothing but the scope is wrong.
const otherScope = "The scope is not within what was granted"

// redeem redeems a refresh token, for its whole scope or for a part of it. It
// returns nil and the reason where it refuses the token.
func (c *call) redeem(value, client, scope string) (*refresh, string) {
	r, ok := c.refreshTokens.get(value)
	if !ok {
		return nil, "Cannot decrypt the refresh token"
	}
	c.counts.countUse(r, c.now)
	switch {
	case client != "" && r.client != client:
		return nil, "Token is not linked to client"
	case r.hasExpired(c.now):
		return nil, "Token has expired"
	case r.revoked:
		return nil, "Token has been revoked"
	case r.redeemed && c.reusePolicy() == RevokesFamily:
		c.revokeFamily(r.family)
		return nil, "Token has been revoked"
	case r.redeemed && c.reusePolicy() == Refused:
		return nil, "Token has been revoked"
	case !r.covers(scope):
		return nil, otherScope
	}
	c.markRedeemed(r)
	return r, ""
}

// covers reports whether the grant has all of the scopes (RFC 6749 §6).
func (g grant) covers(scope string) bool {
	return Client{Scopes: append([]string{}, strings.Fields(g.scope)...)}.grants(scope)
}

// withScope returns the grant with that part of its scope; "" means all of it.
func (g grant) withScope(scope string) grant {
	g.scope = cmp.Or(scope, g.scope)
	return g
}

// markRedeemed marks a refresh token as redeemed. Two kinds of servers revoke
// its access token then:
//   - revokesAccess: League does so whatever happens to the refresh token
//     (RefreshTokenGrant::respondToAccessTokenRequest).
//     AuthorizationServer::revokeRefreshTokens concerns the refresh token only.
//   - paired: with Doorkeeper, access and refresh token are one row, which
//     RefreshTokenRequest#before_successful_response revokes unless there is a
//     column previous_refresh_token. With that column it is [Tolerated].
func (c *call) markRedeemed(r *refresh) {
	r.redeemed = true
	if c.revokesAccess || c.paired && c.reusePolicy() != Tolerated {
		r.access.revoked = true
	}
}

// revokeReplaced revokes a refresh token once the access token that replaced
// its own is used: Doorkeeper's AccessToken#revoke_previous_refresh_token!,
// called by OAuth::Token.authenticate. A refresh is no such use.
func (c *call) revokeReplaced(value string) {
	if r, ok := c.refreshTokens.get(value); ok {
		c.revokeRefresh(r)
	}
}

// revokeRefresh revokes a refresh token, and its access token too if they are
// one row.
func (c *call) revokeRefresh(r *refresh) {
	r.revoked = true
	r.access.revoked = r.access.revoked || c.paired
}

func (c *call) revokeFamily(family int) {
	c.revokeAccess(c.now, func(a *access) bool { return a.family == family })
	for _, r := range c.refreshTokens.items {
		r.revoked = r.revoked || r.family == family
	}
}

// use records an API call with an access token. It returns nil and the reason
// (unknown, revoked or expired) where the token is not valid.
func (c *call) use(value string) (*access, string) {
	a, ok := c.accessTokens.get(value)
	switch {
	case !ok:
		return nil, "unknown"
	case a.revoked:
		return nil, "revoked"
	case !a.isValid(c.now):
		return nil, "expired"
	}
	c.revokeReplaced(a.replaces)
	a.replaces = ""
	return a, ""
}

// revoke revokes a token of the client, and the one that was issued with it:
// RFC 7009 §2.1 allows it, and Doorkeeper has both in one row. Tokens of other
// clients are not revoked. For an expired access token nothing is revoked
// (Doorkeeper's RevocableAccessToken#revocable?).
func (c *call) revoke(value, client string) (owned bool) {
	a, isAccess := c.accessTokens.get(value)
	r, isRefresh := c.refreshTokens.get(value)
	switch {
	case isAccess && a.client != client, isRefresh && r.client != client:
		return false
	case isAccess && a.isValid(c.now):
		a.revoked = true
		if a.refresh != nil {
			a.refresh.revoked = true
		}
	case isRefresh:
		r.revoked, r.access.revoked = true, true
	}
	return true
}
