package mint

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const pageSize = 100

// Discover compares the secrets with what the store knows of them: credentials that were added or changed are learnt, and those whose absence is confirmed are gone. A failed listing removes nothing, nor does an empty one unless the source is trusted so far.
// It returns how many were learnt and how many are gone.
func (m *Mint) Discover(ctx context.Context) (learnt, gone int, err error) {
	listed, err := m.Source.List(ctx)
	if err != nil {
		return 0, 0, secretUnavailable(err)
	}
	if m.settled.still(listed, wall()) {
		return 0, 0, nil
	}
	rows, err := m.ownRows(ctx)
	if err != nil {
		return 0, 0, err
	}
	var failed error
	for _, l := range listed {
		e, known := rows[l.Name]
		delete(rows, l.Name)
		if known && e.State != store.Gone && e.RequestDigest == l.Version && !m.RowFormat.refuses(e) {
			continue
		}
		if !known {
			e.Key = token.RecordKey(l.Name)
		}
		if _, err := m.learn(ctx, e); err != nil {
			failed = err
			continue
		}
		learnt++
	}
	if len(listed) == 0 && !m.TrustsEmpty {
		return learnt, 0, failed
	}
	open := 0
	for name, e := range rows {
		switch {
		case e.State == store.Gone:
		case m.bury(ctx, name, e):
			gone++
		default:
			open++
		}
	}
	if failed == nil && open == 0 {
		m.settled.set(listed, wall())
	}
	return learnt, gone, failed
}

// settledFor is how long a listing that needs nothing done is believed to go on needing nothing, as long as it stays the same. To compare it is to read every credential's row: each minute, that would cost as much as all else that rotate reads.
const settledFor = 5 * time.Minute

// settled is the last listing of which nothing was left to do.
type settled struct {
	mu     sync.Mutex
	listed []credential.Listed
	at     time.Time
}

func (s *settled) set(listed []credential.Listed, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listed, s.at = listed, now
}

func (s *settled) still(listed []credential.Listed, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	age := now.Sub(s.at)
	return age >= 0 && age < settledFor && slices.Equal(s.listed, listed)
}

// ownRows reads the own rows of all credentials, without opening them: the version of the secret, which they show, tells enough.
func (m *Mint) ownRows(ctx context.Context) (map[string]store.Entry, error) {
	rows := map[string]store.Entry{}
	for e, err := range m.each(ctx, token.RecordPartition) {
		if err != nil {
			return nil, err
		}
		rows[e.Key.Credential] = e
	}
	return rows, nil
}

// bury marks a credential gone once its secret's absence is confirmed. Its entries stay, as long as Secrets Manager keeps a deleted secret.
func (m *Mint) bury(ctx context.Context, name string, e store.Entry) bool {
	absent, err := m.Source.Absent(ctx, name)
	if err != nil || !absent {
		return false
	}
	k, err := m.rememberListed(ctx, e)
	if err != nil {
		return false
	}
	next := *k.with(e)
	next.entry.State, next.entry.ForgetAt, next.entry.Generation = store.Gone, wall().Add(forgetAfter), m.nextGeneration(e)
	if next.terms.Version != e.RequestDigest { // what stands there does not open
		next.setRecord(record{Terms: credential.Terms{Name: name, Version: e.RequestDigest, Malformed: true}})
	}
	if err := m.closeRecord(ctx, &next); err != nil {
		return false
	}
	next.broken, next.outdated = false, false
	if _, err := m.replaceOwn(ctx, e, next); err != nil {
		return false
	}
	m.Journal.Event(ctx, slog.LevelWarn, "gone", name, "its secret was removed")
	return true
}

// requeue makes due what new terms concern: the default entry of a credential that is kept warm, and entries that failed or were minted for other terms. An entry that can't be written now is found out when it is next asked for.
func (m *Mint) requeue(ctx context.Context, own *known) {
	now, terms := wall(), own.terms
	missing := terms.KeepWarm
	for e, err := range m.each(ctx, terms.Name) {
		if err != nil {
			return
		}
		warm := isWarm(terms, e.Key)
		missing = missing && !warm
		switch {
		case !e.Failure.IsZero(), m.obtainedOtherwise(ctx, own, e):
			m.makeDue(ctx, e, now)
		case warm && e.NextAt.IsZero():
			m.makeDue(ctx, e, later(now, e.RenewAt))
		}
	}
	if missing {
		m.makeDue(ctx, store.Entry{Key: token.Key{Credential: terms.Name}}, now)
	}
}

func (m *Mint) makeDue(ctx context.Context, e store.Entry, at time.Time) {
	next := e
	next.NextAt = at
	next.ForgetAt = forgetAt(next, at)
	m.replace(ctx, e, next)
}

// replace writes an entry whose token stays as it is. It says whether that was done.
func (m *Mint) replace(ctx context.Context, seen, next store.Entry) bool {
	_, err := m.Store.Replace(ctx, seen, next)
	return err == nil
}

// Bulkhead names what a renewal of the credential may have to wait for: its token endpoint's host. Renewals that wait for one must not hold up those that wait for another. false: this process has not read the credential's terms yet; [Mint.Terms] does.
func (m *Mint) Bulkhead(credential string) (string, bool) {
	k := m.memory.get(token.RecordKey(credential))
	if k == nil {
		return "", false
	}
	return hostOf(k), true
}

// Renewal says what became of an entry that was due.
type Renewal string

// The ways a renewal can end.
const (
	Renewed Renewal = "renewed" // it has a token whose time to renew has not come
	Retired Renewal = "retired" // nobody asks for it, or its credential is gone: no longer due
	Failed  Renewal = "failed"  // see the error
)

// Renew renews an entry that is due, or retires it where nobody has asked for it for too long. It counts on nobody asking: the entry is read anew.
func (m *Mint) Renew(ctx context.Context, key token.Key) (Renewal, error) {
	v, err := m.look(ctx, key, Want{Proactive: true})
	var known *api.Error
	switch {
	case errors.As(err, &known) && known.Code == api.UnknownCredential:
		return m.retire(ctx, key)
	case err != nil:
		return Failed, problem(err)
	case v.entry.entry.State == store.Revoking:
		return m.revokeAgain(ctx, key)
	case idle(v, wall()):
		return m.retire(ctx, key)
	}
	became, err := m.renew(ctx, key, Want{Proactive: true})
	if errors.As(err, &known) && known.Code == api.ReauthorizationRequired {
		m.giveUp(ctx, m.recall(key), known)
	}
	return became, err
}

// giveUp takes a grant out of the index that only a person can renew. One that was given for other terms than the secret has now has not been tried, and so nobody was told.
func (m *Mint) giveUp(ctx context.Context, v view, why *api.Error) {
	e := v.entry.entry
	if e.NextAt.IsZero() {
		return
	}
	if e.State == store.Live {
		m.Journal.Mint(ctx, journal.Mint{
			Credential: e.Key.Credential, Variant: e.Key.Sort(), Provider: providerOf(v.own.terms, v.own.descriptor), Generation: e.Generation,
			Code: string(why.Code), Detail: why.Detail, ForGood: true,
		})
	}
	_, _ = m.retire(ctx, e.Key) // else the next pass tries again
}

// RenewNow renews an entry that is due or failing, and mints one that has no token, without waiting for a back-off: an operator asks.
func (m *Mint) RenewNow(ctx context.Context, key token.Key) (Renewal, error) {
	return m.renew(ctx, key, Want{Proactive: true, IgnoreBackoff: true})
}

// Insist replaces a key's token now, as an operator asks for it: no back-off is
// waited for, and a grant that is over is tried once more by the refresh token
// that was kept. A token younger than 30 seconds stays.
// Errors are of type *api.Error.
func (m *Mint) Insist(ctx context.Context, key token.Key) error {
	rows, err := m.load(ctx, store.Strong, token.RecordKey(key.Credential), key)
	if err != nil {
		return problem(err)
	}
	_, err = m.renew(ctx, key, Want{Proactive: true, IgnoreBackoff: true, Rejected: rows[1].entry.Fingerprint})
	return err
}

func (m *Mint) renew(ctx context.Context, key token.Key, w Want) (Renewal, error) {
	r, err := m.Token(ctx, key, w)
	if v := m.recall(key); v.stillDue(wall()) {
		m.postpone(ctx, v)
		if err == nil {
			err = &api.Error{Code: api.ProviderUnavailable, Detail: "the provider may not be asked now"}
		}
	}
	if err == nil && !r.Failure.IsZero() {
		err = &api.Error{Code: api.Code(r.Failure.Code), Detail: r.Failure.Detail}
	}
	if err != nil {
		return Failed, err
	}
	return Renewed, nil
}

// stillDue says whether nothing could be done about an entry that is due: a pause that the provider asked for another entry, or a failure of the client as a whole, forbade it.
func (v view) stillDue(now time.Time) bool {
	return v.own.live() && v.entry != nil && !v.entry.entry.NextAt.IsZero() && !now.Before(v.entry.entry.NextAt)
}

// postpone makes such an entry due when it may be tried: until then it would only stand in the way of others.
func (m *Mint) postpone(ctx context.Context, v view) {
	now := wall()
	until := later(later(v.own.entry.CooldownUntil, v.failure().RetryAt), v.entry.entry.HoldUntil)
	if until = later(until, m.outageUntil(v, now)); until.After(now) {
		m.makeDue(ctx, v.entry.entry, until)
	}
}

// idle says whether nobody has asked for an entry since it was minted, nor for the time its terms allow. A person's grant is kept alive regardless.
func idle(v view, now time.Time) bool {
	e, terms := v.entry.entry, v.own.terms
	if terms.Granted(e.Key.Variant) || isWarm(terms, e.Key) {
		return false
	}
	if isCounted(terms, e.Key.Variant) && !now.Before(freedAt(e)) {
		return true
	}
	limit := time.Duration(terms.IdleAfter) + askedPrecision
	return e.AskedAt.Before(e.IssuedAt) && now.Sub(e.AskedAt) > limit
}

// isWarm says whether a key is renewed though nobody asks: the default of a credential that is kept warm.
func isWarm(terms credential.Terms, key token.Key) bool {
	return terms.KeepWarm && key == token.Key{Credential: terms.Name}
}

// retire takes an entry out of the index; the next one who asks mints it anew.
func (m *Mint) retire(ctx context.Context, key token.Key) (Renewal, error) {
	entries, err := m.Store.Get(ctx, store.Strong, key)
	if err != nil {
		return Failed, m.unread(ctx, key.Credential, err)
	}
	next := entries[0]
	next.NextAt = time.Time{}
	if next.Revision > 0 && !m.replace(ctx, entries[0], next) {
		return Failed, &api.Error{Code: api.StoreUnavailable, Detail: "the entry is being changed by another"}
	}
	return Retired, nil
}
