package registry

import (
	"cmp"
	"context"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// requeue makes due what new terms concern: the default entry of a credential
// that is kept warm, and entries that failed or were minted for other terms.
// After an error the next discovery of this process tries again; until then
// such an entry is handled when it is requested.
func (r *Registry) requeue(ctx context.Context, record *records.Known) error {
	return r.queue(ctx, record.Terms.Name, r.makeDue(ctx, record))
}

func (r *Registry) makeDue(ctx context.Context, record *records.Known) (failed error) {
	now, terms := clock.Now(), record.Terms
	missing := terms.KeepWarm
	for e, err := range r.Records.Each(ctx, terms.Name) {
		if err != nil {
			return err
		}
		e.ProviderHost, e.ProviderLimit = record.Host(), record.Concurrency()
		warm := record.IsWarm(e.Key)
		missing = missing && !warm
		switch {
		case !e.Failure.IsZero(), r.Records.ObtainedOtherwise(ctx, record, e):
			err = r.Records.MakeDue(ctx, e, now)
		case warm && e.NextAt.IsZero():
			err = r.Records.MakeDue(ctx, e, schedule.Planned(e, now))
		}
		failed = cmp.Or(failed, err)
	}
	if missing {
		err := r.Records.MakeDue(ctx, store.Entry{
			Key: token.Key{Credential: terms.Name}, ProviderHost: record.Host(), ProviderLimit: record.Concurrency(),
		}, now)
		failed = cmp.Or(failed, err)
	}
	return failed
}

// endKeeping makes those entries of a credential that was removed due that are
// kept for an operator. After an error the next discovery of this process tries
// again.
func (r *Registry) endKeeping(ctx context.Context, name string) error {
	return r.queue(ctx, name, r.Records.EndKeeping(ctx, name, clock.Now()))
}

// queue notes whether the entries of a credential could be made due. It returns
// the error.
func (r *Registry) queue(ctx context.Context, name string, err error) error {
	if err == nil {
		r.unqueued.Delete(name)
		return nil
	}
	r.unqueued.Store(name, nil)
	r.Journal.Failure(ctx, "queue", name, err)
	return err
}

// isUnqueued reports whether the entries of a credential could not be made due.
func (r *Registry) isUnqueued(name string) bool {
	_, is := r.unqueued.Load(name)
	return is
}
