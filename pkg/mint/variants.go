package mint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Variants that callers make by scope and audience are bounded per credential:
// rotate renews each, and 12 allowed scopes have 4,095 combinations.

// isCounted reports whether a variant counts against the bound: not the
// credential's default, and not one that a user connects.
func isCounted(terms credential.Terms, v token.Variant) bool {
	return v != token.Variant{} && !terms.Connected(v)
}

// occupies reports whether an entry of a counted variant holds one of the
// places. Its place is free once nobody has asked for it during one life. A
// grant keeps its place.
func occupies(terms credential.Terms, e store.Entry, now time.Time) bool {
	return e.Revision > 0 && (terms.Granted(e.Key.Variant) || now.Before(freedAt(e)))
}

// freedAt returns when an entry frees its place if nobody asks for it. AskedAt
// may lie askedPrecision before the last time that somebody asked.
func freedAt(e store.Entry) time.Time {
	life := e.ExpiresAt.Sub(e.IssuedAt)
	if life <= 0 {
		life = defaultLifetime
	}
	return e.AskedAt.Add(life + askedPrecision)
}

// claimant names a caller in entries, where a name would be too long.
func claimant(c access.Caller) string {
	sum := sha256.Sum256([]byte(c.Identity()))
	return hex.EncodeToString(sum[:8])
}

// claimPlace notes who has a counted variant minted that held no place.
func claimPlace(next *store.Entry, terms credential.Terms, c access.Caller, now time.Time) {
	if isCounted(terms, next.Key.Variant) && !occupies(terms, *next, now) {
		next.ClaimedBy = claimant(c)
	}
}

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
	claimLasts   = LeaseTTL // after it, the entry is stored or was not minted
	refusalLasts = 10 * time.Second
	mostClaims   = 10000
)

// places is how the variants of a credential are taken.
type places struct {
	bound, share int // of all callers, of one
	taken, own   int
	free, ownAt  time.Time // when the first of all, of one caller's, is free again
}

const whatToDo = ": ask for one of those, or have max_variants raised in its secret"

// refusal returns why there is no room for another variant; nil: there is.
func (p places) refusal(now time.Time) *api.Error {
	switch {
	case p.taken >= p.bound:
		detail := fmt.Sprintf("all %d combinations of scope and audience that may be in use are", p.bound)
		return refusal(api.TooManyVariants, detail+whatToDo, p.free, now)
	case p.own >= p.share:
		detail := fmt.Sprintf("this caller uses %d combinations of scope and audience, its share", p.own)
		return refusal(api.TooManyVariants, detail+whatToDo, p.ownAt, now)
	}
	return nil
}

// add counts one variant that is taken until free, by a caller or by oneself.
func (p *places) add(own bool, free time.Time) {
	p.taken++
	if p.free.IsZero() || free.Before(p.free) {
		p.free = free
	}
	if !own {
		return
	}
	p.own++
	if p.ownAt.IsZero() || free.Before(p.ownAt) {
		p.ownAt = free
	}
}

// refusesVariant returns why the view's variant may not be minted for the
// caller; nil if it may. Only a variant that holds no place yet is asked about.
func (m *Mint) refusesVariant(ctx context.Context, v view, w Want, now time.Time) error {
	terms, e := v.own.terms, v.entry.entry
	if w.Proactive || !isCounted(terms, e.Key.Variant) || occupies(terms, e, now) {
		return nil
	}
	wanted := wantedVariant{key: e.Key, by: claimant(w.Caller), at: now}
	if err := m.claims.refusal(wanted); err != nil {
		return err
	}
	listed, err := m.counted(ctx, terms, now)
	if err != nil {
		return m.unread(ctx, terms.Name, err)
	}
	if err := m.claims.claim(wanted, terms.VariantBound(), listed); err != nil {
		return err
	}
	return nil
}

// counted lists the entries of a credential that hold a place.
func (m *Mint) counted(ctx context.Context, terms credential.Terms, now time.Time) ([]store.Entry, error) {
	const page = 1000
	var taken []store.Entry
	for after := "account>"; ; { // behind all accounts, which begin with "account="
		entries, err := m.Store.List(ctx, terms.Name, after, page)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if isCounted(terms, e.Key.Variant) && occupies(terms, e, now) {
				taken = append(taken, e)
			}
			after = e.Key.Sort()
		}
		if len(entries) < page || len(taken) >= terms.VariantBound() {
			return taken, nil
		}
	}
}

// wantedVariant is a variant that a caller wants minted.
type wantedVariant struct {
	key token.Key
	by  string // the claimant
	at  time.Time
}

// refusal returns the answer that a caller got a moment ago, so that who asks
// again and again does not have the entries listed each time.
func (c *claims) refusal(w wantedVariant) *api.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r := c.refused[[2]string{w.key.Credential, w.by}]; w.at.Before(r.until) {
		return r.err
	}
	return nil
}

// claim takes a place for a variant, beside those that the store lists, or
// returns why there is none.
func (c *claims) claim(w wantedVariant, bound int, listed []store.Entry) *api.Error {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := places{bound: bound, share: max(1, bound/4)}
	seen := map[token.Key]bool{w.key: true}
	for _, e := range listed {
		seen[e.Key] = true
		p.add(e.ClaimedBy == w.by, freedAt(e))
	}
	for made, claim := range c.made {
		switch {
		case !w.at.Before(claim.until):
			delete(c.made, made)
		case made.Credential == w.key.Credential && !seen[made]:
			p.add(claim.by == w.by, claim.until)
		}
	}
	if err := p.refusal(w.at); err != nil {
		if c.refused == nil || len(c.refused) >= mostClaims {
			c.refused = map[[2]string]refusedClaim{}
		}
		c.refused[[2]string{w.key.Credential, w.by}] = refusedClaim{err, w.at.Add(refusalLasts)}
		return err
	}
	if c.made == nil || len(c.made) >= mostClaims {
		c.made = map[token.Key]claim{}
	}
	c.made[w.key] = claim{w.by, w.at.Add(claimLasts)}
	return nil
}
