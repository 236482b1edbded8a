package registry

import (
	"cmp"
	"context"
	"slices"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Discover finds what has changed in the secrets since the last call: it learns
// credentials that were added or changed, and marks those deleted whose absence
// is confirmed. A failed listing deletes nothing, nor does an empty one unless
// the source is trusted that far.
//
// A source that lists everything at once is compared with the store as a whole.
// Of a [credential.Pager] with more than one page, it reads the newest changes,
// and once an hour it compares the whole list, in as many calls as that takes.
// An error does not mean that nothing was found.
func (r *Registry) Discover(ctx context.Context) (Found, error) {
	pager, ok := r.Source.(credential.Pager)
	if !ok {
		listed, err := r.Source.List(ctx)
		if err != nil {
			return Found{}, failure.SecretUnavailable(err)
		}
		return r.compareAll(ctx, listed)
	}
	first, err := pager.Page(ctx, credential.NewestFirst, "")
	if err != nil {
		return Found{}, failure.SecretUnavailable(err)
	}
	if first.Next == "" {
		return r.compareAll(ctx, living(first.Secrets))
	}
	return r.discoverByPages(ctx, pager, first)
}

// living returns the secrets that are not scheduled for deletion, by name.
func living(secrets []credential.PagedSecret) (all []credential.Listed) {
	for _, s := range secrets {
		if !s.Deleted {
			all = append(all, s.Listed)
		}
	}
	slices.SortFunc(all, func(a, b credential.Listed) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// compareAll compares a complete list of secrets with all records.
func (r *Registry) compareAll(ctx context.Context, listed []credential.Listed) (found Found, err error) {
	if r.synced.holds(listed, clock.Now()) {
		return found, nil
	}
	rows, err := r.Records.All(ctx)
	if err != nil {
		return found, err
	}
	found.Learned, err = r.learnListed(ctx, listed, rows)
	if len(listed) == 0 && !r.TrustsEmpty {
		return found, err
	}
	for _, l := range listed {
		delete(rows, l.Name)
	}
	deleted, open := r.deleteUnlisted(ctx, rows)
	found.Deleted = deleted
	if err == nil && open == 0 {
		r.synced.set(listed, clock.Now())
	}
	return found, err
}

// Provider returns the host of a credential's token endpoint and how many
// renewals it takes at once: renewals that wait for one host must not delay
// those of another. false: this process has not read the credential's terms
// yet.
func (r *Registry) Provider(name string) (host string, concurrency int, known bool) {
	k := r.Records.Get(token.RecordKey(name))
	if k == nil {
		return "", 0, false
	}
	return k.Host(), k.Concurrency(), true
}
