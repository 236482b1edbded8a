package verification

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// This file learns that a provider revokes an access token when its successor
// is issued or first used, if the descriptor does not say so. The provider's
// own answers to verifications count, never the reports of callers.

// refusalsToLearn is how many replaced tokens in a row must be refused.
const refusalsToLearn = 2

// leastOverlap is the remaining life that a replaced token must have, so that
// its refusal means something.
const leastOverlap = 30 * time.Second

// Replaced keeps a snapshot's token that next has replaced, to be verified
// later, if the overlap is not known. g is the grant type that obtained next.
func (v *Verifier) Replaced(s records.Snapshot, record *records.Known, next *row.Row, g descriptor.Grant) {
	old := s.Row.Token
	unfit := old.Fingerprint == next.Fingerprint || !s.Row.Digests.Same(next.Digests)
	if old.IsZero() || unfit || old.Left(clock.Now()) < leastOverlap {
		return
	}
	d := record.Descriptor
	known := d.Overlap(g) != descriptor.OverlapUnknown || slices.Contains(record.History.Revokes, g)
	if !d.Verifies() || known {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.replaced == nil || len(v.replaced) >= maxResults {
		v.replaced = map[token.Key]predecessor{}
	}
	v.replaced[next.Key] = predecessor{old, next.Digests.Destination, g}
}

// takePredecessor returns a replaced token of a key that has not expired, once.
func (v *Verifier) takePredecessor(key token.Key, now time.Time) (predecessor, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before, ok := v.replaced[key]
	delete(v.replaced, key)
	return before, ok && before.token.Left(now) >= leastOverlap
}

// countRefusal counts replaced tokens that were refused in a row, and returns
// how many.
func (v *Verifier) countRefusal(key overlapKey, refused bool) int {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.refusals == nil || len(v.refusals) >= maxResults {
		v.refusals = map[overlapKey]int{}
	}
	if v.refusals[key]++; !refused {
		delete(v.refusals, key)
	}
	return v.refusals[key]
}

// CheckReplaced asks the provider about the token before the snapshot's own,
// which works, and learns from the answers.
func (v *Verifier) CheckReplaced(ctx context.Context, s records.Snapshot) {
	before, ok := v.takePredecessor(s.Row.Key, clock.Now())
	if !ok || before.destination != s.Record.Digests.Destination {
		return
	}
	works, err := v.isAccepted(ctx, s, before.token.Access)
	if err != nil {
		return
	}
	key := overlapKey{s.Record.Terms.Name, before.grant}
	if v.countRefusal(key, !works) == refusalsToLearn {
		v.learnOverlap(ctx, s.Record, before.grant)
	}
}

// maxTries bounds how often a change of a record is tried again if other
// processes write it at the same time.
const maxTries = 4

// learnOverlap writes into a credential record that a new token of a grant type
// revokes the one before.
func (v *Verifier) learnOverlap(ctx context.Context, record *records.Known, g descriptor.Grant) {
	for range maxTries {
		if slices.Contains(record.History.Revokes, g) {
			return
		}
		stored, err := v.Records.ResealRecord(ctx, record, func(next *row.Row) {
			next.History.Revokes = append(slices.Clone(record.History.Revokes), g)
		})
		if err == nil {
			v.Journal.Event(ctx, slog.LevelWarn, "overlap", record.Terms.Name,
				"two tokens in a row were refused once they were replaced by "+string(g)+
					`: they are let go sooner from now on; put "overlap" into the descriptor`)
			return
		}
		if !errors.Is(err, store.ErrChanged) || stored.Broken {
			return
		}
		record = stored
	}
}
