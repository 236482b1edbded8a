package mint

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// This file learns that a provider ends an access token when its successor is
// issued or first used, where the descriptor does not say so. It goes by what
// the provider itself answers to a verification, and never by what a caller
// reports.

// predecessor is an access token that was replaced while it lived.
type predecessor struct {
	token       token.Token
	destination string           // that it was obtained from, and may be sent to
	grant       descriptor.Grant // that brought the successor
}

// refusalsToLearn is how many replaced tokens in a row must be refused.
const refusalsToLearn = 2

// leastOverlap is how long a replaced token must have to live, so that its
// refusal means something.
const leastOverlap = 30 * time.Second

// overlapKey names what is learned: a credential, and the grant that brings
// new tokens.
type overlapKey struct {
	credential string
	grant      descriptor.Grant
}

// noteReplaced keeps a token that was replaced, to be verified later, where
// nothing is known of overlap.
func (m *Mint) noteReplaced(v view, next *row, out *outcome) {
	old := v.entry.token
	d := out.own.descriptor
	unfit := old.Fingerprint == next.entry.Fingerprint || v.entry.digests != next.digests
	if old.IsZero() || unfit || old.Left(wall()) < leastOverlap {
		return
	}
	known := d.Overlap(out.grant) != descriptor.OverlapUnknown || slices.Contains(out.own.history.Revokes, out.grant)
	if !d.Verifies() || known {
		return
	}
	m.proofs.mu.Lock()
	defer m.proofs.mu.Unlock()
	if m.proofs.replaced == nil || len(m.proofs.replaced) >= mostRows {
		m.proofs.replaced = map[token.Key]predecessor{}
	}
	m.proofs.replaced[next.entry.Key] = predecessor{old, next.digests.destination, out.grant}
}

// takePredecessor returns a replaced token of a key that still has to live,
// once.
func (p *proofs) takePredecessor(key token.Key, now time.Time) (predecessor, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before, ok := p.replaced[key]
	delete(p.replaced, key)
	return before, ok && before.token.Left(now) >= leastOverlap
}

// countRefusal counts replaced tokens that were refused in a row, and returns
// how many.
func (p *proofs) countRefusal(key overlapKey, refused bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusals == nil || len(p.refusals) >= mostRows {
		p.refusals = map[overlapKey]int{}
	}
	if p.refusals[key]++; !refused {
		delete(p.refusals, key)
	}
	return p.refusals[key]
}

// verifyReplaced asks the provider about the token before the view's own,
// which works, and learns from the answers.
func (m *Mint) verifyReplaced(ctx context.Context, v view) {
	before, ok := m.proofs.takePredecessor(v.entry.entry.Key, wall())
	if !ok || before.destination != v.own.digests.destination {
		return
	}
	works, err := m.works(ctx, v, before.token.Access)
	if err != nil {
		return
	}
	key := overlapKey{v.own.terms.Name, before.grant}
	if m.proofs.countRefusal(key, !works) == refusalsToLearn {
		m.learnOverlap(ctx, v.own, before.grant)
	}
}

// learnOverlap writes into a credential's own row that a new token of that
// grant ends the one before.
func (m *Mint) learnOverlap(ctx context.Context, own *known, grant descriptor.Grant) {
	for range mostSettling {
		if slices.Contains(own.history.Revokes, grant) {
			return
		}
		next := *own.row
		next.history.Revokes = append(slices.Clone(own.history.Revokes), grant)
		next.entry.Generation = m.nextGeneration(own.entry)
		if m.closeRecord(ctx, &next) != nil {
			return
		}
		stands, err := m.replaceOwn(ctx, own.entry, next)
		if err == nil {
			m.Journal.Event(ctx, slog.LevelWarn, "overlap", own.terms.Name,
				"two tokens in a row were refused once they were replaced by "+string(grant)+
					`: they are let go sooner from now on; put "overlap" into the descriptor`)
			return
		}
		if stands == nil || stands.broken {
			return
		}
		own = stands
	}
}
