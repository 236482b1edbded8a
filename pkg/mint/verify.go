package mint

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// proofs are what providers said of tokens, for as long as nobody needs to ask again.
type proofs struct {
	mu       sync.Mutex
	all      map[token.Key]proof
	asks     singleflight.Group // by key and fingerprint
	replaced map[token.Key]predecessor
	refusals map[overlapKey]int // replaced tokens refused in a row
}

type proof struct {
	fingerprint string
	works       bool
	at          time.Time
}

func (p *proofs) get(key token.Key) proof {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.all[key]
}

func (p *proofs) put(key token.Key, said proof) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil || len(p.all) >= mostRows {
		p.all = map[token.Key]proof{}
	}
	p.all[key] = said
}

// proofLasts is how long an answer is told again: an operator's curiosity must not use up a rate limit.
const proofLasts = 10 * time.Second

// Verify asks the provider whether it takes the key's living token. It mints nothing. nil: there is no living token.
// Errors are of type *api.Error.
func (m *Mint) Verify(ctx context.Context, key token.Key) (*api.Verified, error) {
	rows, err := m.load(ctx, store.Eventual, token.RecordKey(key.Credential), key)
	if err != nil {
		return nil, problem(err)
	}
	v := m.viewOf(rows[0], rows[1])
	switch {
	case v.own.descriptor == nil || !v.own.descriptor.Verifies():
		return nil, &api.Error{Code: api.InvalidRequest, Detail: "verify: the credential's provider has no request that proves a token"}
	case !v.holds(wall()):
		return nil, nil
	}
	said, err := m.proven(ctx, v, proofLasts)
	if err != nil {
		return nil, problem(err)
	}
	if said.works {
		m.verifyReplaced(ctx, v)
	}
	return &api.Verified{Works: said.works, At: said.at}, nil
}

// proven is what the provider says of the view's token, or said no longer ago than lasts.
func (m *Mint) proven(ctx context.Context, v view, lasts time.Duration) (proof, error) {
	key, fingerprint := v.entry.entry.Key, v.entry.token.Fingerprint
	if said := m.proofs.get(key); said.fingerprint == fingerprint && wall().Sub(said.at) < lasts {
		return said, nil
	}
	if until := v.own.entry.CooldownUntil; wall().Before(until) {
		return proof{}, refusal(api.ProviderUnavailable, "the provider asked for a pause", until, wall())
	}
	works, err := m.works(ctx, v, v.entry.token.Access)
	if err != nil {
		return proof{}, err
	}
	said := proof{fingerprint, works, wall()}
	m.proofs.put(key, said)
	return said, nil
}

// works asks the provider whether it takes an access token of the view's key.
func (m *Mint) works(ctx context.Context, v view, access redact.String) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, ExchangeTimeout)
	defer cancel()
	c := provider.Client{TokenURL: v.own.terms.TokenURL}
	if v.own.descriptor.Token.Auth == descriptor.AuthTLS { // such a token may be bound to the certificate (RFC 8705 §3)
		known, own, err := m.client(ctx, v.own)
		if err != nil {
			return false, faultOf(err).told()
		}
		if own.digests.destination != v.own.digests.destination {
			return false, &api.Error{Code: api.ProviderUnavailable, Detail: "the credential has just changed", RetryAfter: shortestWait}
		}
		c = known.Client
	}
	works, err := provider.Endpoint{HTTP: m.HTTP, Descriptor: v.own.descriptor, Client: c}.VerifyToken(ctx, access)
	if err != nil {
		return false, faultOf(err).told()
	}
	return works, nil
}

// mostProbed bounds how many tokens one canary proves.
const mostProbed = 100

// Canary verifies living tokens whose providers can verify them, each once in
// every. A token that the provider refuses is written down and treated like a
// reported one: it is replaced once, within the bounds of reports. What was
// verified and what was refused is counted. It ends with ctx.
func (m *Mint) Canary(ctx context.Context, every time.Duration) (proven, refused int, err error) {
	rows, err := m.ownRows(ctx)
	if err != nil {
		return 0, 0, err
	}
	for name, e := range rows {
		if e.State == store.Gone || !m.verifies(ctx, name) {
			continue
		}
		for e, err := range m.each(ctx, name) {
			if err != nil || proven >= mostProbed || ctx.Err() != nil {
				return proven, refused, err
			}
			works, asked := m.probe(ctx, e, every)
			if asked {
				proven++
			}
			if asked && !works {
				refused++
				m.Journal.Refused(ctx, name, e.Key.Sort(), e.Fingerprint)
				_, _ = m.Token(ctx, e.Key, Want{Proactive: true, Rejected: e.Fingerprint}) // the journal has the error
			}
		}
	}
	return proven, refused, nil
}

func (m *Mint) verifies(ctx context.Context, name string) bool {
	if _, err := m.Terms(ctx, name); err != nil {
		return false
	}
	k := m.memory.get(token.RecordKey(name))
	return k != nil && k.descriptor != nil && k.descriptor.Verifies()
}

// probe has one entry's token proven, unless it was within every. asked: the provider has given an answer.
func (m *Mint) probe(ctx context.Context, e store.Entry, every time.Duration) (works, asked bool) {
	if said := m.proofs.get(e.Key); said.fingerprint == e.Fingerprint && wall().Sub(said.at) < every {
		return false, false
	}
	entry, err := m.rememberListed(ctx, e)
	if err != nil {
		return false, false
	}
	v := m.viewOf(m.memory.get(token.RecordKey(e.Key.Credential)), entry)
	if v.own == nil || !v.holds(wall()) {
		return false, false
	}
	said, err := m.proven(ctx, v, 0)
	if err == nil && said.works {
		m.verifyReplaced(ctx, v)
	}
	return said.works, err == nil
}
