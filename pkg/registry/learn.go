package registry

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/deadline"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// learn reads a credential's secret afresh and writes what is not secret of it
// into its record, over what was seen there.
func (r *Registry) learn(ctx context.Context, seen store.Entry) (*records.Known, error) {
	name := seen.Key.Credential
	c, err := r.Source.Read(ctx, name, credential.Current)
	var malformed *credential.Malformed
	switch {
	case errors.Is(err, credential.ErrUnknown):
		r.absent.Mark(name, clock.Now())
		return nil, failure.UnknownCredential(name)
	case errors.As(err, &malformed):
		terms, err := r.lastGood(ctx, seen, malformed.Version)
		if err != nil {
			return nil, err
		}
		failed := failure.Of(malformed).After(seen, malformed.Version, clock.Now())
		return r.learnTerms(ctx, seen, terms, failed, nil)
	case err != nil:
		return nil, failure.SecretUnavailable(err)
	}
	r.secrets.keep(c)
	k := r.Records.Get(seen.Key)
	if k.IsLive() && k.Revision == seen.Revision && k.Terms.Version == c.Version && k.KnowsLogin(c) {
		return k, nil // nothing is new, and no failure to clear
	}
	return r.learnTerms(ctx, seen, c.Terms, store.Failure{}, &c)
}

// lastGood returns the terms that stay in force while the secret is malformed:
// those of the stored record, so that unexpired tokens are still vended to the
// same callers. If there are none, no rule is known: see
// [credential.Terms.Malformed].
func (r *Registry) lastGood(ctx context.Context, seen store.Entry, version string) (credential.Terms, error) {
	k, err := r.Records.Known(ctx, seen)
	if err != nil {
		return credential.Terms{}, err
	}
	terms := k.Terms
	if k.Revision == 0 || k.Broken || k.Outdated || k.Terms.Name == "" {
		terms = credential.Terms{Malformed: true}
	}
	terms.Name, terms.Version = seen.Key.Credential, version
	return terms, nil
}

// learnTerms writes a credential record. A new version of the secret clears the
// failures of the old one; a cooldown stays. c is the secret that the terms are
// of; nil: it is malformed, so that its last good secrets stay in force.
func (r *Registry) learnTerms(
	ctx context.Context, seen store.Entry, terms credential.Terms, failed store.Failure, c *credential.Credential,
) (*records.Known, error) {
	before, err := r.Records.Known(ctx, seen)
	if err != nil {
		return nil, err
	}
	next := row.Row{Entry: seen, Terms: before.Terms, History: before.History}
	if before.Broken || before.Outdated {
		next.History.Stamped = true // what it said is lost; no entry is adopted by it
	}
	next.SetTerms(terms)
	if c != nil {
		next.SetLogin(*c)
	}
	next.State, next.RequestDigest, next.ForgetAt, next.Failure = store.Live, terms.Version, time.Time{}, failed
	next.Generation = r.Records.NextGeneration(seen)
	if err := r.Records.Seal(ctx, &next); err != nil {
		return nil, failure.SealUnavailable(err)
	}
	k, err := r.Records.ReplaceRecord(ctx, seen, next)
	if errors.Is(err, store.ErrChanged) {
		return k, nil // another process has learned it at the same time
	}
	if err != nil {
		return nil, err
	}
	r.absent.Forget(terms.Name)
	r.Journal.Event(ctx, slog.LevelInfo, "learnt", terms.Name, failed.Detail)
	_ = r.queued(ctx, terms.Name, r.Records.Requeue(ctx, k)) // the record is right nevertheless
	return k, nil
}

// Found counts what a discovery found.
type Found struct {
	Learned int // credentials that were added or changed
	Deleted int // credentials whose secret was deleted
}

func (f *Found) add(more Found) {
	f.Learned += more.Learned
	f.Deleted += more.Deleted
}

// learnListed learns the listed credentials that are new or changed, compared
// with rows, the records by name. Its error is one of those that occurred.
func (r *Registry) learnListed(
	ctx context.Context, listed []credential.Listed, rows map[string]store.Entry,
) (learned int, failed error) {
	var all errgroup.Group
	all.SetLimit(learnAtOnce)
	var mu sync.Mutex
	for _, l := range listed {
		e, known := rows[l.Name]
		isLearned := known && e.State != store.Gone && e.RequestDigest == l.Version && !r.Records.RowFormat.Refuses(e)
		if isLearned && !r.isUnqueued(l.Name) {
			continue
		}
		if !known {
			e.Key = token.RecordKey(l.Name)
		}
		if ctx.Err() != nil {
			mu.Lock()
			failed = ctx.Err()
			mu.Unlock()
			break
		}
		all.Go(func() error {
			err := r.learnOne(ctx, e)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed = err
			} else {
				learned++
			}
			return nil
		})
	}
	_ = all.Wait() // the errors are in failed
	return learned, failed
}

// learnAtOnce is how many secrets a discovery reads at once.
const learnAtOnce = 16

// learnWithin is how long after the end of a discovery a credential is learned
// whose learning was begun.
const learnWithin = 4 * time.Second

// learnOne learns a credential and makes its entries due, and turns a panic
// into an error. Where only the latter failed, it is tried once more.
func (r *Registry) learnOne(ctx context.Context, seen store.Entry) (err error) {
	defer failure.Recover(ctx, r.Journal, &err)
	ctx, cancel := deadline.Outlast(ctx, learnWithin)
	defer cancel()
	k, err := r.learn(ctx, seen)
	if err == nil && r.isUnqueued(seen.Key.Credential) {
		err = r.queued(ctx, seen.Key.Credential, r.Records.Requeue(ctx, k))
	}
	return err
}
