package registry

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	// comparedFor is how long after a full comparison the next one begins.
	comparedFor = time.Hour
	// listingLag is how late a list may show a change.
	listingLag = 5 * time.Minute
	// saveWithin is how long the end of a discovery may take.
	saveWithin = 5 * time.Second
)

// discoverByPages learns the newest changes, which begin on the page first, and
// continues the full comparison if it is due. What is found counts, and is
// saved, also if ctx ends before all is done: the next discovery continues.
func (r *Registry) discoverByPages(
	ctx context.Context, pager credential.Pager, first credential.Page,
) (found Found, err error) {
	p, err := r.Progress.Discovery(ctx)
	if err != nil {
		return found, failure.StoreUnavailable(err)
	}
	before, now := p, clock.Now()
	if p.Page == "" && now.Sub(p.Compared).Abs() >= comparedFor {
		p.Compared, p.Page, p.After = now, firstPage, ""
	}
	if p.ChangedUntil.IsZero() {
		p.ChangedUntil = now // the full comparison, which begins, finds all older changes
	}
	found, err = r.learnChanges(ctx, pager, first, p.ChangedUntil.Add(-listingLag))
	if err == nil && ctx.Err() == nil {
		p.ChangedUntil = now
	}
	if p.Page != "" && ctx.Err() == nil {
		compared, failed := r.comparePages(ctx, pager, &p)
		found.add(compared)
		if failed != nil {
			err = failed
		}
	}
	if p != before {
		save, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveWithin)
		defer cancel()
		if failed := r.Progress.SaveDiscovery(save, p); failed != nil {
			err = failure.StoreUnavailable(failed)
		}
	}
	if ctx.Err() != nil && (found != Found{} || p.After != before.After) {
		return found, nil // more remains than fits into one discovery
	}
	return found, err
}

// firstPage stands for the first page in [store.Discovery].
const firstPage = "first"

// learnChanges learns what has changed since a time, the newest changes first.
// It begins with the page first.
func (r *Registry) learnChanges(
	ctx context.Context, pager credential.Pager, first credential.Page, since time.Time,
) (found Found, err error) {
	for page := first; ; {
		var changed []credential.PagedSecret
		for _, s := range page.Secrets {
			if s.Changed.IsZero() || s.Changed.After(since) {
				changed = append(changed, s)
			}
		}
		more, failed := r.learnPage(ctx, changed)
		found.add(more)
		if failed != nil {
			err = failed // the others are learned nevertheless
		}
		if len(changed) < len(page.Secrets) || page.Next == "" || ctx.Err() != nil {
			return found, err
		}
		if page, failed = pager.Page(ctx, credential.NewestFirst, page.Next); failed != nil {
			return found, failure.SecretUnavailable(failed)
		}
	}
}

// learnPage compares some secrets with their records.
func (r *Registry) learnPage(ctx context.Context, secrets []credential.PagedSecret) (found Found, err error) {
	if len(secrets) == 0 {
		return found, nil
	}
	keys := make([]token.Key, len(secrets))
	for i, s := range secrets {
		keys[i] = token.RecordKey(s.Name)
	}
	stored, err := r.Records.Store.Get(ctx, store.Eventual, keys...)
	if err != nil {
		return found, r.Records.ReadError(ctx, "", err)
	}
	rows, deleted := map[string]store.Entry{}, map[string]store.Entry{}
	var present []credential.Listed
	for i, s := range secrets {
		switch {
		case !s.Deleted:
			rows[s.Name] = stored[i]
			present = append(present, s.Listed)
		case stored[i].Revision > 0:
			deleted[s.Name] = stored[i]
		}
	}
	found.Learned, err = r.learnListed(ctx, present, rows)
	found.Deleted, _ = r.deleteUnlisted(ctx, deleted) // the full comparison repeats it
	return found, err
}

// comparePages compares the list with the records, page by page in the order of
// the names, and notes in p how far it has come. A failure other than of a
// listing does not end it: the next full comparison tries again.
func (r *Registry) comparePages(
	ctx context.Context, pager credential.Pager, p *store.Discovery,
) (found Found, err error) {
	for {
		next := p.Page
		if next == firstPage {
			next = ""
		}
		page, listErr := pager.Page(ctx, credential.ByName, next)
		if listErr != nil {
			if ctx.Err() == nil {
				p.Page, p.After = firstPage, "" // the page may be forgotten by now
			}
			return found, failure.SecretUnavailable(listErr)
		}
		more, failed := r.comparePage(ctx, page, p.After)
		found.add(more)
		if failed != nil {
			err = failed
		}
		if ctx.Err() != nil {
			return found, err
		}
		if page.Next == "" {
			p.Page, p.After = "", ""
			// A change that cannot be learned is tried again by the next full
			// comparison, and does not make the list of changes longer.
			p.ChangedUntil = clock.Later(p.ChangedUntil, p.Compared)
			return found, err
		}
		p.Page = page.Next
		for _, s := range page.Secrets {
			p.After = max(p.After, s.Name)
		}
	}
}

// comparePage compares one page with the records of the names after a name, up
// to the last one of the page.
func (r *Registry) comparePage(ctx context.Context, page credential.Page, after string) (found Found, err error) {
	last := after
	for _, s := range page.Secrets {
		last = max(last, s.Name)
	}
	if found, err = r.learnPage(ctx, page.Secrets); ctx.Err() != nil {
		return found, err
	}
	unlisted := map[string]store.Entry{}
	for e, err := range r.Records.EachAfter(ctx, token.RecordPartition, after) {
		if err != nil {
			return found, err
		}
		if page.Next != "" && e.Key.Credential > last {
			break
		}
		unlisted[e.Key.Credential] = e
	}
	for _, s := range page.Secrets {
		delete(unlisted, s.Name)
	}
	found.Deleted, _ = r.deleteUnlisted(ctx, unlisted)
	return found, err
}
