package registry

import (
	"cmp"
	"context"
	"sync"
	"time"

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
	r.unqueued.set(name, err != nil)
	if err != nil {
		r.Journal.Failure(ctx, "queue", name, err)
	}
	return err
}

// names is a set of names. The zero value is empty. Its methods are safe for
// concurrent use.
type names struct{ all sync.Map }

func (n *names) set(name string, in bool) {
	if in {
		n.all.Store(name, true)
	} else {
		n.all.Delete(name)
	}
}

func (n *names) has(name string) bool {
	_, in := n.all.Load(name)
	return in
}

// outlasting returns a context that ends some time after ctx, so that what was
// begun is done to its end.
func outlasting(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = clock.Sleep(longer, by)
		cancel()
	})
	return longer, func() {
		stop()
		cancel()
	}
}
