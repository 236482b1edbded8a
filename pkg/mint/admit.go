package mint

import (
	"context"
	"errors"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Asking is a caller who asks for something of a credential.
type Asking struct {
	Caller   access.Caller
	Operator bool      // may have the secret of any name read
	Beside   token.Key // read in the same round trip, for a Token that follows
}

// Admit returns the terms of a credential if they admit the caller.
// Errors are of type *api.Error. For a credential that is gone, its last terms
// come beside the error if they admit the caller.
//
// A credential that is not there and one that is not for this caller give the
// same error for the same calls: one read of the store, whatever memory holds.
// The secret of a name that the store does not know is read for those alone
// who may discover it; for others, rotate's next pass finds it.
func (m *Mint) Admit(ctx context.Context, name string, a Asking) (credential.Terms, error) {
	if !a.Caller.CanReach(name) {
		return credential.Terms{}, unknown(name)
	}
	k := m.memory.get(token.RecordKey(name))
	if k.trusted(wall()) && k.admits(a.Caller) {
		return k.terms, nil
	}
	read, err := m.loadOwn(ctx, name, a.Beside)
	switch {
	case err == nil:
		return m.admit(ctx, read, a)
	case unreachable(err) && k.admits(a.Caller) && m.confirmed(k, wall()):
		return k.terms, nil // the last known rule stays in force
	case isDamaged(err) && !a.mayDiscover(name):
		return credential.Terms{}, unknown(name)
	}
	return credential.Terms{}, err
}

func (a Asking) mayDiscover(name string) bool {
	return a.Operator || a.Caller.MayDiscover(name)
}

// admit decides by a credential record as the store has just shown it.
func (m *Mint) admit(ctx context.Context, k *known, a Asking) (credential.Terms, error) {
	name := k.entry.Key.Credential
	discovers := a.mayDiscover(name)
	var refused error = unknown(name)
	if !k.live() && (k.broken || k.outdated || discovers) {
		learnt, err := m.discover(ctx, k, a.Operator || a.Caller.Via == access.Admin)
		switch {
		case err == nil:
			k = learnt
		case discovers:
			refused = err
		}
	}
	switch {
	case k.admits(a.Caller):
		return k.terms, nil
	case k.entry.State == store.Gone && k.terms.Admits(a.Caller):
		return k.terms, refused
	}
	return credential.Terms{}, refused
}

// admits reports whether a credential is there and for the caller.
func (k *known) admits(c access.Caller) bool {
	return k.live() && k.terms.Admits(c)
}

// discover learns a credential from its secret, unless there was none a moment
// ago. An operator has often just put one there.
func (m *Mint) discover(ctx context.Context, k *known, operator bool) (*known, error) {
	lasts := absentForCallers
	if operator {
		lasts = trustAbsent
	}
	if m.memory.isAbsent(k.entry.Key.Credential, wall().Add(-lasts)) {
		return k, unknown(k.entry.Key.Credential)
	}
	return m.learn(ctx, k.entry)
}

// loadOwn reads a credential record, and the row beside it. If that one is
// damaged, it is no reason to treat the credential otherwise.
func (m *Mint) loadOwn(ctx context.Context, name string, beside token.Key) (*known, error) {
	own := token.RecordKey(name)
	rows, err := m.load(ctx, store.Eventual, own, beside)
	if isDamaged(err) {
		rows, err = m.load(ctx, store.Eventual, own)
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// damaged is the error of a row that can be read but not understood.
type damaged struct{ told error }

// Error returns what callers are told.
func (d damaged) Error() string { return d.told.Error() }

// Unwrap returns the *api.Error that callers are told.
func (d damaged) Unwrap() error { return d.told }

func isDamaged(err error) bool {
	var d damaged
	return errors.As(err, &d)
}
