package registry

import (
	"context"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Discover compares the secrets with what the store knows of them: it learns
// credentials that were added or changed, and marks those deleted whose absence
// is confirmed. A failed listing deletes nothing, nor does an empty one unless
// the source is trusted that far. It returns how many were learned and deleted.
func (r *Registry) Discover(ctx context.Context) (learned, deleted int, err error) {
	listed, err := r.Source.List(ctx)
	if err != nil {
		return 0, 0, failure.SecretUnavailable()
	}
	if r.synced.holds(listed, clock.Now()) {
		return 0, 0, nil
	}
	rows, err := r.Records.All(ctx)
	if err != nil {
		return 0, 0, err
	}
	learned, err = r.learnListed(ctx, listed, rows)
	if len(listed) == 0 && !r.TrustsEmpty {
		return learned, 0, err
	}
	deleted, open := r.deleteUnlisted(ctx, rows)
	if err == nil && open == 0 {
		r.synced.set(listed, clock.Now())
	}
	return learned, deleted, err
}

// learnListed learns the listed credentials that are new or changed, and
// removes all listed ones from rows.
func (r *Registry) learnListed(
	ctx context.Context, listed []credential.Listed, rows map[string]store.Entry,
) (learned int, failed error) {
	for _, l := range listed {
		e, known := rows[l.Name]
		delete(rows, l.Name)
		if known && e.State != store.Gone && e.RequestDigest == l.Version && !r.Records.RowFormat.Refuses(e) {
			continue
		}
		if !known {
			e.Key = token.RecordKey(l.Name)
		}
		if _, err := r.learn(ctx, e); err != nil {
			failed = err
			continue
		}
		learned++
	}
	return learned, failed
}

// deleteUnlisted marks credentials deleted that were not listed. open counts
// those whose absence could not be confirmed.
func (r *Registry) deleteUnlisted(ctx context.Context, rows map[string]store.Entry) (deleted, open int) {
	for name, e := range rows {
		switch {
		case e.State == store.Gone:
		case r.markDeleted(ctx, name, e):
			deleted++
		default:
			open++
		}
	}
	return deleted, open
}

// markDeleted marks a credential deleted once its secret's absence is
// confirmed. Its entries stay for as long as Secrets Manager keeps a deleted
// secret.
func (r *Registry) markDeleted(ctx context.Context, name string, e store.Entry) bool {
	absent, err := r.Source.Absent(ctx, name)
	if err != nil || !absent {
		return false
	}
	k, err := r.Records.Listed(ctx, e)
	if err != nil {
		return false
	}
	next := k.With(e)
	next.State, next.ForgetAt = store.Gone, clock.Now().Add(schedule.RowLifetime)
	next.Generation = r.Records.NextGeneration(e)
	if next.Terms.Version != e.RequestDigest { // the stored record does not open
		next.ResetTerms(credential.Terms{Name: name, Version: e.RequestDigest, Malformed: true})
	}
	if err := r.Records.Seal(ctx, &next); err != nil {
		return false
	}
	next.Broken, next.Outdated = false, false
	if _, err := r.Records.ReplaceRecord(ctx, e, next); err != nil {
		return false
	}
	r.Journal.Event(ctx, slog.LevelWarn, "gone", name, "its secret was removed")
	return true
}

// Host returns the host of a credential's token endpoint, for which a renewal
// may have to wait: renewals that wait for one host must not delay those of
// another. false: this process has not read the credential's terms yet.
func (r *Registry) Host(name string) (string, bool) {
	k := r.Records.Get(token.RecordKey(name))
	if k == nil {
		return "", false
	}
	return k.Host(), true
}
