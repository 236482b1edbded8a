package mint

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Terms returns a credential's terms: from memory, else from the store, else, for one that was never seen, from its secret. The keys in beside are read in the same round trip, for a [Mint.Token] that follows.
// Errors are of type *api.Error; UnknownCredential where there is none. For a credential that is gone, its last terms come beside that error.
func (m *Mint) Terms(ctx context.Context, name string, beside ...token.Key) (credential.Terms, error) {
	k := m.memory.get(token.RecordKey(name))
	if !k.trusted(wall()) {
		if m.memory.isAbsent(name, wall().Add(-trustAbsent)) {
			return credential.Terms{}, unknown(name)
		}
		rows, err := m.load(ctx, store.Eventual, append([]token.Key{token.RecordKey(name)}, beside...)...)
		switch {
		case err != nil && k.live() && unreachable(err) && m.confirmed(k, wall()):
			return k.terms, nil
		case err != nil:
			return credential.Terms{}, err
		}
		k = rows[0]
	}
	k, err := m.living(ctx, k)
	return k.terms, err
}

// living returns a credential's own row if it is one of a credential that is there, learning it from its secret where the store had none. Else the row comes back as it is, beside the error.
func (m *Mint) living(ctx context.Context, k *known) (*known, error) {
	if k.live() {
		return k, nil
	}
	name := k.entry.Key.Credential
	if m.memory.isAbsent(name, wall().Add(-trustAbsent)) {
		return k, unknown(name)
	}
	learnt, err := m.learn(ctx, k.entry)
	if err != nil {
		return k, err
	}
	return learnt, nil
}

// live says whether an own row is one of a credential that is there.
func (k *known) live() bool {
	return k != nil && k.entry.Revision > 0 && k.entry.State != store.Gone && !k.broken && !k.outdated
}

// learn reads a credential's secret afresh and writes what is not secret of it into its own row, over what was seen there.
func (m *Mint) learn(ctx context.Context, seen store.Entry) (*known, error) {
	name := seen.Key.Credential
	c, err := m.Source.Read(ctx, name, credential.Current)
	var bad *credential.Malformed
	switch {
	case errors.Is(err, credential.ErrUnknown):
		m.memory.markAbsent(name, wall())
		return nil, unknown(name)
	case errors.As(err, &bad):
		terms, err := m.lastGood(ctx, seen, bad.Version)
		if err != nil {
			return nil, err
		}
		return m.learnTerms(ctx, seen, terms, m.misconfigured(seen, bad))
	case err != nil:
		return nil, secretUnavailable(err)
	}
	m.secrets.keep(c)
	if k := m.memory.get(seen.Key); k.live() && k.entry.Revision == seen.Revision && k.terms.Version == c.Version {
		return k, nil // nothing new, and nothing to forgive
	}
	return m.learnTerms(ctx, seen, c.Terms, store.Failure{})
}

// lastGood returns the terms that stay in force while the secret is malformed:
// those of the stored record, so that living tokens go on being vended to those
// who may have them. Where there are none, no rule is known: see
// [credential.Terms.Malformed].
func (m *Mint) lastGood(ctx context.Context, seen store.Entry, version string) (credential.Terms, error) {
	k, err := m.known(ctx, seen)
	if err != nil {
		return credential.Terms{}, err
	}
	terms := k.terms
	if k.entry.Revision == 0 || k.broken || k.outdated || k.terms.Name == "" {
		terms = credential.Terms{Malformed: true}
	}
	terms.Name, terms.Version = seen.Key.Credential, version
	return terms, nil
}

// known returns a row that was seen, opened: from memory if it is there.
func (m *Mint) known(ctx context.Context, seen store.Entry) (*known, error) {
	if k := m.memory.get(seen.Key); k.same(seen) {
		return k, nil
	}
	return m.rememberListed(ctx, seen)
}

func (m *Mint) misconfigured(seen store.Entry, bad *credential.Malformed) store.Failure {
	return faultOf(bad).after(seen.Failure, seen.Key, 0, bad.Version, wall())
}

// learnTerms writes a credential's own row. A new version of the secret clears the failures of the old; a cooldown stays.
func (m *Mint) learnTerms(ctx context.Context, seen store.Entry, terms credential.Terms, failure store.Failure) (*known, error) {
	before, err := m.known(ctx, seen)
	if err != nil {
		return nil, err
	}
	next := row{entry: seen}
	prior := record{before.terms, before.history}
	if before.broken || before.outdated {
		prior.Stamped = true // what it said is lost; nothing is adopted by it
	}
	next.setRecord(prior.next(terms))
	next.entry.State, next.entry.RequestDigest, next.entry.ForgetAt, next.entry.Failure = store.Live, terms.Version, time.Time{}, failure
	next.entry.Generation = m.nextGeneration(seen)
	if err := m.closeRecord(ctx, &next); err != nil {
		return nil, sealUnavailable(err)
	}
	k, err := m.replaceOwn(ctx, seen, next)
	if errors.Is(err, store.ErrChanged) {
		return k, nil // another has learnt it at the same time
	}
	if err != nil {
		return nil, err
	}
	m.memory.forgetAbsent(terms.Name)
	m.Journal.Event(ctx, slog.LevelInfo, "learnt", terms.Name, failure.Detail)
	m.requeue(ctx, k)
	return k, nil
}

// nextGeneration is above all that this process has seen of a row, also before
// an older item was put back.
func (m *Mint) nextGeneration(e store.Entry) int64 {
	return max(e.Generation, m.memory.seen.Highest(e.Key)) + 1
}

// replaceOwn writes a credential's own row and returns what then stands there: with store.ErrChanged, what another has written.
func (m *Mint) replaceOwn(ctx context.Context, seen store.Entry, next row) (*known, error) {
	newest := m.memory.seen.Highest(seen.Key)
	stands, err := m.Store.Replace(ctx, seen, next.entry)
	if errors.Is(err, store.ErrChanged) || errors.Is(err, store.ErrLeased) {
		k, err := m.remember(ctx, stands, newest, wall())
		if err != nil {
			return nil, err
		}
		return k, store.ErrChanged
	}
	if err != nil {
		return nil, storeUnavailable(err)
	}
	next.entry = stands
	return m.memory.put(&next, Store, wall()), nil
}

// rulesOf is what terms and their descriptor say about time, for a token that grant would renew.
func rulesOf(own *row, grant descriptor.Grant) rules {
	d := own.descriptor
	if d == nil {
		return rules{}
	}
	r := rules{
		lifetime: time.Duration(own.terms.Lifetime), lifetimeFrom: fromCredential, cap: d.MaxLifetime(),
		earliest: time.Duration(d.Renew.Earliest), latest: time.Duration(d.Renew.Latest),
		revokes: d.Overlap(grant) == descriptor.OverlapRevokes || d.Overlap(grant) == descriptor.OverlapUnknown && slices.Contains(own.history.Revokes, grant),
	}
	if r.lifetime == 0 {
		r.lifetime, r.lifetimeFrom = d.DefaultLifetime(), fromDescriptor
	}
	return r
}

func unknown(name string) *api.Error {
	return &api.Error{Code: api.UnknownCredential, Detail: "there is no such credential, or none that this caller may know of", Credential: name}
}

func secretUnavailable(err error) error {
	return &api.Error{
		Code: api.SecretUnavailable, Detail: "the secret can't be read now", RetryAfter: shortestWait, Cause: err,
	}
}

func sealUnavailable(err error) error {
	return &api.Error{Code: api.SealUnavailable, Detail: "the sealing key can't be used now", Cause: err}
}

// providerOf names a credential's provider for people.
func providerOf(t credential.Terms, d *descriptor.Descriptor) string {
	if t.Provider != "" || d == nil {
		return t.Provider
	}
	return d.Name
}
