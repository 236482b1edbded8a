package mint

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// mostRounds bounds how often one call is judged anew: each round saw the entry change.
const mostRounds = 8

// patience is how long a caller waits for a better token who has one that would do.
const patience = 2 * time.Second

// Token returns a token for key that is what w asks, minting one where it must. Where nothing better can be had, it is the token at hand, as long as that lives and is no shorter than a floor.
// Errors are of type *api.Error. A ctx that ends stops the waiting and not an exchange that was sent.
func (m *Mint) Token(ctx context.Context, key token.Key, w Want) (Result, error) {
	v, err := m.look(ctx, key, w)
	for round := 0; err == nil; round++ {
		now := wall()
		if refused := v.beyondHalf(w); refused != nil {
			return Result{}, refused
		}
		if v.serves(w, now) {
			m.touch(ctx, v, w, now)
			return m.result(v, now), nil
		}
		if refused := v.forbids(w, now); refused != nil {
			return m.fallBack(v, w, refused)
		}
		if refused := m.refusesReport(ctx, v, w, now); refused != nil {
			return m.fallBack(v, w, refused)
		}
		if refused := m.refusesVariant(ctx, v, w, now); refused != nil {
			return m.fallBack(v, w, refused)
		}
		if round == mostRounds {
			return m.fallBack(v, w, &api.Error{Code: api.ProviderUnavailable, Detail: "the provider's tokens are over too soon", RetryAfter: shortestWait})
		}
		w.IgnoreBackoff = false // once is what an operator asked for
		v, err = m.advance(ctx, key, v, w)
	}
	return m.fallBack(v, w, err)
}

// fallBack answers with the token at hand if that suffices, else with err.
func (m *Mint) fallBack(v view, w Want, err error) (Result, error) {
	now := wall()
	if !v.suffices(w, now) {
		return Result{}, problem(err)
	}
	if cutOff(err) && !m.standsAlone(v, now) {
		return Result{}, problem(err)
	}
	return m.result(v, now), nil
}

// problem makes any error one that callers can be told.
func problem(err error) error {
	var known *api.Error
	if errors.As(err, &known) {
		return known
	}
	return &api.Error{Code: api.Internal, Detail: "an unexpected error, told in the log"}
}

// look returns what is known of a key: from memory where that is fresh enough and serves, else from one read of the entry and of its credential's row.
// With an error the view holds what memory has.
func (m *Mint) look(ctx context.Context, key token.Key, w Want) (view, error) {
	v := m.recall(key)
	now := wall()
	if w.Rejected == "" && v.own.trusted(now) && v.own.live() && v.entry.trusted(now) && (v.serves(w, now) || v.justRead(now)) {
		return v, nil
	}
	consistency := store.Eventual
	if w.Rejected != "" {
		consistency = store.Strong
	}
	rows, err := m.load(ctx, consistency, token.RecordKey(key.Credential), key)
	if err != nil {
		return v, err
	}
	own, err := m.living(ctx, rows[0])
	if err != nil {
		return view{}, err
	}
	return m.viewOf(own, rows[1]), nil
}

// justRead says whether both rows were read a moment ago, by the [Mint.Terms] that goes before: nothing is gained by reading them again before a conditional write.
func (v view) justRead(now time.Time) bool {
	return now.Sub(v.own.seen) < moment && now.Sub(v.entry.seen) < moment
}

// moment is how old a reading may be and still count as this call's own.
const moment = 100 * time.Millisecond

// recall is the view that memory holds. Nothing is known of a key of which memory holds neither row.
func (m *Mint) recall(key token.Key) view {
	return m.viewOf(m.memory.get(token.RecordKey(key.Credential)), m.memory.get(key))
}

// viewOf judges an entry by its credential's own row.
func (m *Mint) viewOf(own, entry *known) view {
	if own == nil || entry == nil {
		return view{own: own}
	}
	j := entry.judged.Load()
	if j == nil || j.own != own.row {
		j = judge(own.row, entry.row)
		entry.judged.Store(j)
	}
	return view{own: own, entry: entry, judgement: j}
}

// renewedBy is the grant that brings an entry's next token.
func (r *row) renewedBy() descriptor.Grant {
	if r.refresh.IsZero() {
		return descriptor.ClientCredentials
	}
	return descriptor.RefreshToken
}

func judge(own, entry *row) *judgement {
	return &judgement{own: own, speaks: rulesOf(own, entry.renewedBy()), standing: compare(own, entry)}
}

// askedPrecision is how old AskedAt may be before it is written again.
const askedPrecision = time.Hour

// touch notes that somebody asked. That it could not be noted is no reason to refuse.
func (m *Mint) touch(ctx context.Context, v view, w Want, now time.Time) {
	if w.Proactive || v.entry.entry.Revision == 0 || now.Sub(v.entry.entry.AskedAt) < askedPrecision {
		return
	}
	if err := m.Store.Touch(ctx, v.entry.entry.Key, now); err == nil {
		e := v.entry.entry
		e.AskedAt = now
		r := *v.entry.row
		r.entry = e
		m.memory.put(&r, Memory, v.entry.seen)
	}
}
