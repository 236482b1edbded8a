package mint

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// load reads rows in one round trip, remembers them, and returns them in the order of keys.
//
// An eventual read that shows an older generation than was seen here is a replica that lags, or an item that was put back: a strong one tells.
func (m *Mint) load(ctx context.Context, c store.Consistency, keys ...token.Key) ([]*known, error) {
	newest := m.memory.highest(keys) // as it was before the read: what is learnt meanwhile says nothing about it
	entries, err := m.Store.Get(ctx, c, keys...)
	if err != nil {
		return nil, m.unread(ctx, keys[0].Credential, err)
	}
	if c == store.Eventual {
		for i, e := range entries {
			if older(e, newest[i]) {
				return m.load(ctx, store.Strong, keys...)
			}
		}
	}
	return m.rememberAll(ctx, entries, newest)
}

// rememberAll remembers rows. Where several have to be opened, it is done at once: two that different processes sealed cost a question to KMS each, and a caller waits for both.
func (m *Mint) rememberAll(ctx context.Context, entries []store.Entry, newest []int64) ([]*known, error) {
	now := wall()
	rows, errs := make([]*known, len(entries)), make([]error, len(entries))
	shut := func(e store.Entry) bool { return len(e.Sealed) > 0 && !m.memory.get(e.Key).same(e) }
	first := slices.IndexFunc(entries, shut)
	var others sync.WaitGroup
	for i, e := range slices.Backward(entries) {
		if i <= first || !shut(e) {
			rows[i], errs[i] = m.remember(ctx, e, newest[i], now)
			continue
		}
		others.Go(func() {
			defer m.recovered(ctx, &errs[i])
			rows[i], errs[i] = m.remember(ctx, e, newest[i], now)
		})
	}
	others.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// older says whether an entry is of a generation before one that was seen. One that is not there any more is not.
func older(e store.Entry, newest int64) bool { return e.Revision > 0 && e.Generation < newest }

// each reads all entries of a partition, page by page. An error ends it.
func (m *Mint) each(ctx context.Context, partition string) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		for after := ""; ; {
			page, err := m.Store.List(ctx, partition, after, pageSize)
			if err != nil {
				yield(store.Entry{}, m.unread(ctx, "", err))
				return
			}
			for _, e := range page {
				if after = e.Key.Sort(); !yield(e, nil) {
					return
				}
			}
			if len(page) < pageSize {
				return
			}
		}
	}
}

// rememberListed is [Mint.remember] for a row out of a list, which may lag
// behind: one that is older than what was seen is read again, strongly.
func (m *Mint) rememberListed(ctx context.Context, e store.Entry) (*known, error) {
	if !older(e, m.memory.seen.Highest(e.Key)) {
		return m.remember(ctx, e, 0, wall())
	}
	rows, err := m.load(ctx, store.Strong, e.Key)
	if err != nil {
		return nil, err
	}
	return rows[0], nil
}

// remember opens a row that the store showed, unless it is the one that is known, and keeps it. newest is the generation that it must not fall behind.
func (m *Mint) remember(ctx context.Context, e store.Entry, newest int64, now time.Time) (*known, error) {
	old := m.memory.get(e.Key)
	if older(e, newest) {
		m.Journal.Integrity(ctx, e.Key.Credential, "the store shows an older generation than this process has seen: "+e.Key.String())
		return m.memory.put(brokenRow(e), Store, now), nil
	}
	if old.same(e) {
		return m.memory.put(old.with(e), Store, now), nil
	}
	r, err := m.open(ctx, e)
	if err != nil {
		return nil, err
	}
	return m.memory.put(r, Store, now), nil
}

// open opens a row. One that does not open counts as holding nothing, with an alarm, and is minted anew.
func (m *Mint) open(ctx context.Context, e store.Entry) (*row, error) {
	r := &row{entry: e}
	if len(e.Sealed) == 0 {
		return r, nil
	}
	if m.RowFormat.refuses(e) {
		r.outdated = true
		m.Journal.Integrity(ctx, e.Key.Credential, "a row of the first format, which is not read any more: "+e.Key.String())
		return r, nil
	}
	plain, err := m.Sealer.Open(ctx, e.Key.Credential, e.Sealed, additional(e))
	switch {
	case errors.Is(err, seal.ErrIntegrity):
		r = brokenRow(e)
		m.Journal.Integrity(ctx, e.Key.Credential, "what is stored does not open: "+e.Key.String())
		return r, nil
	case err != nil:
		return nil, sealUnavailable(err)
	}
	if err := r.read(plain); err != nil {
		return nil, &api.Error{Code: api.Internal, Detail: "a stored row of a form that is not known: " + e.Key.String()}
	}
	if e.Key.IsRecord() && r.terms.Version != e.RequestDigest { // the first format does not bind it, and a pass of rotate goes by it
		m.Journal.Integrity(ctx, e.Key.Credential, "the terms are of another version than their row says: "+e.Key.String())
		return brokenRow(e), nil
	}
	return r, nil
}

// brokenRow is a row of which nothing is believed, its state neither.
func brokenRow(e store.Entry) *row {
	e.State = store.Live
	return &row{entry: e, broken: true}
}

// tokenOf is the token of an entry, opened.
func tokenOf(e store.Entry, access redact.String) token.Token {
	return token.Token{
		Access: access, Type: e.Type, Scope: e.Scope, Fingerprint: e.Fingerprint, Generation: e.Generation,
		IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt, CacheUntil: e.CacheUntil,
	}
}

// unread is what a failed read is to a caller. What can't be read stays so until somebody deletes it: that raises an alarm.
func (m *Mint) unread(ctx context.Context, credential string, err error) error {
	if errors.Is(err, store.ErrUnreadable) || errors.Is(err, store.ErrNewer) {
		m.Journal.Integrity(ctx, credential, err.Error())
		return damaged{storeUnavailable(err)}
	}
	return storeUnavailable(err)
}

func storeUnavailable(err error) error {
	detail := "the store did not answer"
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		detail = "the store did not answer in time"
	case errors.Is(err, store.ErrUnreadable):
		detail = "the entry is damaged: an operator has to delete it from the store"
	case errors.Is(err, store.ErrNewer):
		detail = "the entry was written by a newer version of tokenvend"
	}
	return &api.Error{Code: api.StoreUnavailable, Detail: detail, RetryAfter: shortestWait, Cause: err}
}
