package variants

import (
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// claims are the variants that this process has let callers mint a moment ago
// and that the store may not show yet, and the callers who were refused.
type claims struct {
	mu      sync.Mutex
	made    map[token.Key]claim
	refused map[[2]string]refusedClaim // by credential and claimant
}

type claim struct {
	by    string
	until time.Time
}

type refusedClaim struct {
	err   *api.Error
	until time.Time
}

const (
	claimLasts   = 15 * time.Second // as long as a lease: after it, the entry is stored or was not minted
	refusalLasts = 10 * time.Second
	maxClaims    = 10000
)

// refusal returns the error that a caller got a moment ago, so that a caller
// that repeats its request does not have the entries listed each time.
func (c *claims) refusal(w wanted) *api.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.refused[[2]string{w.key.Credential, w.by}]; w.at.Before(r.until) {
		return r.err
	}
	return nil
}

// claim notes a variant beside those that the store lists, or returns why there
// may not be another.
func (c *claims) claim(w wanted, bound int, listed []store.Entry) *api.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.usage(w, bound, listed).refusal(w.at); err != nil {
		if c.refused == nil || len(c.refused) >= maxClaims {
			c.refused = map[[2]string]refusedClaim{}
		}
		c.refused[[2]string{w.key.Credential, w.by}] = refusedClaim{err, w.at.Add(refusalLasts)}
		return err
	}
	if c.made == nil || len(c.made) >= maxClaims {
		c.made = map[token.Key]claim{}
	}
	c.made[w.key] = claim{w.by, w.at.Add(claimLasts)}
	return nil
}

// usage counts the variants that are listed and those that were claimed, and
// forgets claims that have ended.
func (c *claims) usage(w wanted, bound int, listed []store.Entry) usage {
	u := usage{bound: bound, share: max(1, bound/4)}
	seen := map[token.Key]bool{w.key: true}
	for _, e := range listed {
		seen[e.Key] = true
		u.add(e.ClaimedBy == w.by, schedule.FreedAt(e))
	}
	for made, claim := range c.made {
		switch {
		case !w.at.Before(claim.until):
			delete(c.made, made)
		case made.Credential == w.key.Credential && !seen[made]:
			u.add(claim.by == w.by, claim.until)
		}
	}
	return u
}
