// Package registry knows which credentials exist and what their secrets say. It
// reads secrets, writes what is not secret of them into credential records, and
// decides who may know of a credential.
package registry

import (
	"context"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Config is what a Registry works with. Records and Source are required.
type Config struct {
	Records *records.Records
	Source  credential.Source
	Journal journal.Journal // zero: silent

	// TrustsEmpty reports whether Source is believed if it lists no secret at
	// all. false: no credential is marked deleted then, because a wrong prefix
	// or region looks the same.
	TrustsEmpty bool
}

// Registry knows the credentials. All its methods are safe for concurrent use.
type Registry struct {
	Config
	secrets secrets
	absent  absent
	synced  synced
}

// New returns a Registry.
func New(c Config) *Registry { return &Registry{Config: c} }

// Terms returns a credential's terms: from memory, else from the store, else,
// for one that was never seen, from its secret. The keys in beside are read in
// the same round trip, for a token request that follows.
//
// Errors are of type *api.Error; UnknownCredential if there is none. The last
// terms of a deleted credential come beside that error.
func (r *Registry) Terms(ctx context.Context, name string, beside ...token.Key) (credential.Terms, error) {
	k := r.Records.Get(token.RecordKey(name))
	if !k.IsFresh(clock.Now()) {
		if r.absent.isAbsent(name, clock.Now().Add(-absentFor)) {
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
	if r.absent.isAbsent(name, clock.Now().Add(-absentFor)) {
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
// changed the record.
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
	r.requeue(ctx, stored)
	return nil
}

// requeue makes due what new terms concern: the default entry of a credential
// that is kept warm, and entries that failed or were minted for other terms. An
// entry that cannot be written now is handled when it is next requested.
func (r *Registry) requeue(ctx context.Context, record *records.Known) {
	now, terms := clock.Now(), record.Terms
	missing := terms.KeepWarm
	for e, err := range r.Records.Each(ctx, terms.Name) {
		if err != nil {
			return
		}
		warm := record.IsWarm(e.Key)
		missing = missing && !warm
		switch {
		case !e.Failure.IsZero(), r.Records.ObtainedOtherwise(ctx, record, e):
			r.Records.MakeDue(ctx, e, now)
		case warm && e.NextAt.IsZero():
			r.Records.MakeDue(ctx, e, schedule.Planned(e, now))
		}
	}
	if missing {
		r.Records.MakeDue(ctx, store.Entry{Key: token.Key{Credential: terms.Name}}, now)
	}
}

const (
	absentFor           = 5 * time.Second  // how long "there is no such credential" is believed
	absentForOtherCalls = 30 * time.Second // the same for callers who are not operators
)
