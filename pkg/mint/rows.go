package mint

import (
	"context"
	"encoding/binary"
	"encoding/json"
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
	newest := m.memory.newest(keys) // as it was before the read: what is learnt meanwhile says nothing about it
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

// remember opens a row that the store showed, unless it is the one that is known, and keeps it. newest is the generation that it must not fall behind.
func (m *Mint) remember(ctx context.Context, e store.Entry, newest int64, now time.Time) (*known, error) {
	old := m.memory.get(e.Key)
	if older(e, newest) {
		m.Journal.Integrity(ctx, e.Key.Credential, "the store shows an older generation than this process has seen: "+e.Key.String())
		return m.memory.put(&row{entry: e, broken: true}, Store, now), nil
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
	plain, err := m.Sealer.Open(ctx, e.Key.Credential, e.Sealed, additional(e))
	switch {
	case errors.Is(err, seal.ErrIntegrity):
		r.broken = true
		m.Journal.Integrity(ctx, e.Key.Credential, "what is stored does not open: "+e.Key.String())
		return r, nil
	case err != nil:
		return nil, &api.Error{Code: api.SealUnavailable, Detail: "the sealing key can't be used now"}
	}
	if err := r.read(plain); err != nil {
		return nil, &api.Error{Code: api.Internal, Detail: "a stored row of a form that is not known: " + e.Key.String()}
	}
	if e.Key.IsOwn() && r.terms.Version != e.Made { // which is not bound to it, and is what a pass of rotate goes by
		m.Journal.Integrity(ctx, e.Key.Credential, "the terms are of another version than their row says: "+e.Key.String())
		return &row{entry: e, broken: true}, nil
	}
	return r, nil
}

// payload is what is sealed in an entry.
type payload struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token,omitempty"`
	Seed    string `json:"seed,omitempty"`
	Within  int64  `json:"issued_within,omitempty"` // milliseconds after IssuedAt
}

func (r *row) read(plain []byte) error {
	if r.entry.Key.IsOwn() {
		return r.readTerms(plain)
	}
	var p payload
	if err := json.Unmarshal(plain, &p); err != nil {
		return err
	}
	r.refresh, r.seed = redact.New(p.Refresh), p.Seed
	r.issuedWithin = min(max(time.Duration(p.Within)*time.Millisecond, 0), ExchangeTimeout+time.Second)
	r.token = tokenOf(r.entry, redact.New(p.Access))
	return nil
}

// tokenOf is the token of an entry, opened.
func tokenOf(e store.Entry, access redact.String) token.Token {
	return token.Token{
		Access: access, Type: e.Type, Scope: e.Scope, Fingerprint: e.Fingerprint, Generation: e.Generation,
		IssuedAt: e.IssuedAt, ExpiresAt: e.ExpiresAt, CacheUntil: e.CacheUntil,
	}
}

// closeToken seals an access token, and the row's refresh token, into its entry, whose times and generation must be set: they are bound to it.
func (m *Mint) closeToken(ctx context.Context, r *row, access redact.String) error {
	plain, err := json.Marshal(payload{Access: access.Reveal(), Refresh: r.refresh.Reveal(), Seed: r.seed, Within: r.issuedWithin.Milliseconds()})
	if err != nil {
		return err
	}
	r.entry.Sealed, err = m.Sealer.Seal(ctx, r.entry.Key.Credential, plain, additional(r.entry))
	return err
}

// closeTerms seals a credential's terms into its own row.
func (m *Mint) closeTerms(ctx context.Context, r *row) error {
	plain, err := json.Marshal(r.terms)
	if err != nil {
		return err
	}
	r.entry.Sealed, err = m.Sealer.Seal(ctx, r.entry.Key.Credential, plain, additional(r.entry))
	return err
}

// additional is what a sealed row is bound to: its key, and for a token its generation, its times and all that is vended with it. A change of it makes every stored row unreadable.
func additional(e store.Entry) []byte {
	var b []byte
	for _, s := range []string{"tokenvend row 1", e.Key.Partition(), e.Key.Sort()} {
		b = appendText(b, s)
	}
	if e.Key.IsOwn() {
		return b
	}
	for _, s := range []string{e.Type, e.Scope, e.Fingerprint, e.Made} {
		b = appendText(b, s)
	}
	b = binary.BigEndian.AppendUint64(b, uint64(e.Generation)) // #nosec G115 -- the same bits
	for _, t := range []time.Time{e.IssuedAt, e.ExpiresAt, e.CacheUntil, e.RenewAt, e.RefreshUntil} {
		b = binary.BigEndian.AppendUint64(b, uint64(t.UnixMilli()))
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...) // #nosec G115 -- no text is 4 GiB long
}

// unread is what a failed read is to a caller. What can't be read stays so until somebody deletes it: that raises an alarm.
func (m *Mint) unread(ctx context.Context, credential string, err error) error {
	if errors.Is(err, store.ErrUnreadable) || errors.Is(err, store.ErrNewer) {
		m.Journal.Integrity(ctx, credential, err.Error())
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
	return &api.Error{Code: api.StoreUnavailable, Detail: detail, RetryAfter: shortestWait}
}
