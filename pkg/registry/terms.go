package registry

import (
	"context"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Terms returns a credential's terms: from memory, else from the store, else,
// for one that was never seen, from its secret. The keys in beside are read in
// the same round trip, for a token request that follows.
//
// Errors are of type *api.Error; UnknownCredential if there is none. The last
// terms of a deleted credential come beside that error.
func (r *Registry) Terms(ctx context.Context, name string, beside ...token.Key) (credential.Terms, error) {
	k := r.Records.Get(token.RecordKey(name))
	if !k.IsFresh(clock.Now()) {
		if r.absent.IsAbsent(name, clock.Now().Add(-absentFor)) {
			return credential.Terms{}, failure.UnknownCredential(name)
		}
		keys := append([]token.Key{token.RecordKey(name)}, beside...)
		rows, err := r.Records.Load(ctx, store.Eventual, keys...)
		switch {
		case err != nil && r.mayUse(k, err):
			return k.Terms, nil
		case err != nil:
			return credential.Terms{}, err
		}
		k = rows[0]
	}
	k, err := r.Existing(ctx, k)
	return k.Terms, err
}

// mayUse reports whether a record in memory may be used after a failed read.
func (r *Registry) mayUse(k *records.Known, err error) bool {
	return k.IsLive() && failure.IsStore(err) && r.Records.IsConfirmed(k, clock.Now())
}

// Existing returns a credential record if the credential exists. It learns the
// credential from its secret if the store had none. Otherwise the record comes
// back as it is, beside the error.
func (r *Registry) Existing(ctx context.Context, k *records.Known) (*records.Known, error) {
	if k.IsLive() {
		return k, nil
	}
	name := k.Key.Credential
	if r.absent.IsAbsent(name, clock.Now().Add(-absentFor)) {
		return k, failure.UnknownCredential(name)
	}
	learned, err := r.learn(ctx, k.Entry)
	if err != nil {
		return k, err
	}
	return learned, nil
}

// Relearn looks for a new version of a secret: an operator who revokes a token
// has often just changed something. If it cannot be read now, rotate will.
func (r *Registry) Relearn(ctx context.Context, name string) {
	if rows, err := r.Records.Load(ctx, store.Strong, token.RecordKey(name)); err == nil {
		_, _ = r.learn(ctx, rows[0].Entry)
	}
}

// Accept has the grants that were given at former destinations continue at the
// one in force. The error is store.ErrChanged if another process has just
// changed the record. After another error it is to be tried again.
func (r *Registry) Accept(ctx context.Context, record *records.Known) error {
	stored, err := r.Records.ResealRecord(ctx, record, func(next *row.Row) {
		next.History.Accepted = nil
		for _, former := range record.History.Former {
			next.History.Accepted = append(next.History.Accepted, former.Digest())
		}
	})
	if err != nil {
		return err
	}
	r.Journal.Event(ctx, slog.LevelWarn, "destination accepted", record.Terms.Name,
		"grants go on at the endpoints that the secret names now")
	return r.queued(ctx, record.Terms.Name, r.Records.Requeue(ctx, stored))
}
