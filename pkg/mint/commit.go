package mint

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/store"
)

const commitPause = 100 * time.Millisecond

// commit writes the entry and gives the lease back, again and again until ctx is over: what the provider has given must not be lost.
func (m *Mint) commit(ctx context.Context, lease store.Lease, next store.Entry) error {
	for {
		err := m.Store.Commit(ctx, lease, next)
		if err == nil || errors.Is(err, store.ErrLeaseLost) {
			return err
		}
		if sleep(ctx, commitPause) != nil {
			return err
		}
	}
}

// note writes the attempt's line.
func (m *Mint) note(ctx context.Context, lease store.Lease, e store.Entry, out outcome, took time.Duration, err error) {
	line := journal.Mint{
		Credential: e.Key.Credential, Variant: e.Key.Sort(), Provider: providerOf(out.own.terms, out.own.descriptor), Grant: string(out.grant),
		Generation: e.Generation, Attempt: lease.Attempt, NextAt: e.NextAt, Took: took,
	}
	if out.own.terms.Granted(e.Key.Variant) && ending(lease.Entry.RefreshUntil, e.RefreshUntil, wall()) {
		line.GrantUntil = e.RefreshUntil
	}
	switch {
	case out.failed != nil:
		line.Code, line.Detail, line.NextAt = string(out.failed.code), out.failed.detail, e.Failure.RetryAt
		// operators are told once, and not of each attempt that fails alike
		line.ForGood = out.failed.permanent && lease.Entry.Failure.Code != line.Code
		line.Cause = journal.Cause(out.failed.cause)
	case err != nil:
		line.Code, line.Detail = string(api.StoreUnavailable), "the token could not be stored: "+err.Error()
		line.Cause = journal.Cause(err)
	default:
		line.Fingerprint, line.ExpiresAt = e.Fingerprint, e.ExpiresAt
		line.NotGranted = newlyWithheld(out, lease.Entry, e)
		line.Warning = strings.Join(out.answer.Warnings, "; ")
	}
	m.Journal.Mint(ctx, line)
}
