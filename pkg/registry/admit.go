package registry

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Requester is a caller who requests something of a credential.
type Requester struct {
	Caller   access.Caller
	Operator bool      // may have the secret of any name read
	Beside   token.Key // read in the same round trip, for a token request that follows
}

// Admit returns the terms of a credential if they admit the caller. Errors are
// of type *api.Error. The last terms of a deleted credential come beside the
// error if they admit the caller.
//
// A credential that does not exist and one that is not for this caller give the
// same error for the same calls: one read of the store, whatever memory holds.
// The secret of a name that the store does not know is read only for those who
// may discover it; for others, rotate's next pass finds it.
func (r *Registry) Admit(ctx context.Context, name string, a Requester) (credential.Terms, error) {
	if !a.Caller.CanReach(name) {
		return credential.Terms{}, failure.UnknownCredential(name)
	}
	k := r.Records.Get(token.RecordKey(name))
	if k.IsFresh(clock.Now()) && admits(k, a.Caller) {
		return k.Terms, nil
	}
	read, err := r.load(ctx, name, a.Beside)
	switch {
	case err == nil:
		return r.decide(ctx, read, a)
	case admits(k, a.Caller) && r.mayUse(k, err):
		return k.Terms, nil // the last known rule stays in force
	case failure.IsDamaged(err) && !a.mayDiscover(name):
		return credential.Terms{}, failure.UnknownCredential(name)
	}
	return credential.Terms{}, err
}

func (a Requester) mayDiscover(name string) bool {
	return a.Operator || a.Caller.MayDiscover(name)
}

// decide decides by a credential record as the store has just shown it.
func (r *Registry) decide(ctx context.Context, k *records.Known, a Requester) (credential.Terms, error) {
	name := k.Key.Credential
	discovers := a.mayDiscover(name)
	var refused error = failure.UnknownCredential(name)
	if !k.IsLive() && (k.Broken || k.Outdated || discovers) {
		learned, err := r.discover(ctx, k, a.Operator || a.Caller.Via == access.Admin)
		switch {
		case err == nil:
			k = learned
		case discovers:
			refused = err
		}
	}
	switch {
	case admits(k, a.Caller):
		return k.Terms, nil
	case k.State == store.Gone && k.Terms.Admits(a.Caller):
		return k.Terms, refused
	}
	return credential.Terms{}, refused
}

// admits reports whether a credential exists and is for the caller.
func admits(k *records.Known, c access.Caller) bool {
	return k.IsLive() && k.Terms.Admits(c)
}

// discover learns a credential from its secret, unless there was none a moment
// ago. An operator has often just added one.
func (r *Registry) discover(ctx context.Context, k *records.Known, operator bool) (*records.Known, error) {
	lasts := absentForOtherCalls
	if operator {
		lasts = absentFor
	}
	if r.absent.IsAbsent(k.Key.Credential, clock.Now().Add(-lasts)) {
		return k, failure.UnknownCredential(k.Key.Credential)
	}
	return r.learn(ctx, k.Entry)
}

// load reads a credential record, and the row beside it. A damaged row beside
// it does not affect the credential.
func (r *Registry) load(ctx context.Context, name string, beside token.Key) (*records.Known, error) {
	own := token.RecordKey(name)
	rows, err := r.Records.Load(ctx, store.Eventual, own, beside)
	if failure.IsDamaged(err) {
		rows, err = r.Records.Load(ctx, store.Eventual, own)
	}
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}
