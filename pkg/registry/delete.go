package registry

import (
	"context"
	"log/slog"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// deleteUnlisted marks credentials deleted that were not listed. open counts
// those whose absence could not be confirmed, or whose entries could not be
// made due.
func (r *Registry) deleteUnlisted(ctx context.Context, rows map[string]store.Entry) (deleted, open int) {
	for name, e := range rows {
		switch {
		case e.State == store.Gone && !r.isUnqueued(name):
		case e.State == store.Gone:
			if r.queued(ctx, name, r.Records.EndKeeping(ctx, name, clock.Now())) != nil {
				open++
			}
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
	return r.queued(ctx, name, r.Records.EndKeeping(ctx, name, clock.Now())) == nil
}
