package mint

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// maxRounds bounds how often one call decides anew: each round saw the entry
// change.
const maxRounds = 8

// Token returns a token for key that is what w wants, and mints one if it has
// to. If no better token can be obtained it returns the one at hand, as long as
// that has not expired and has the least life. Errors are of type *api.Error. A
// ctx that ends stops the waiting and not an exchange that was sent.
func (m *Mint) Token(ctx context.Context, key token.Key, w Want) (Result, error) {
	s, err := m.look(ctx, key, w)
	for round := 0; err == nil; round++ {
		now := clock.Now()
		if refused := w.tooLong(s); refused != nil {
			return Result{}, refused
		}
		if w.servedBy(s, now) {
			if !w.Proactive {
				m.Records.Touch(ctx, s.Row, now)
			}
			return m.result(s, now), nil
		}
		if refused := m.refusal(ctx, s, w, now); refused != nil {
			return m.fallBack(s, w, refused)
		}
		if round == maxRounds {
			return m.fallBack(s, w, failure.Soon(api.ProviderUnavailable, "the provider's tokens are over too soon"))
		}
		w.IgnoreBackoff = false // an operator asked for one attempt
		s, err = m.advance(ctx, key, s, w)
	}
	return m.fallBack(s, w, err)
}

// refusal returns why no attempt may be made now; nil: one may.
func (m *Mint) refusal(ctx context.Context, s records.Snapshot, w Want, now time.Time) error {
	if refused := w.refusal(s, now); refused != nil {
		return refused
	}
	if refused := m.refusesReport(ctx, s, w, now); refused != nil {
		return refused
	}
	if w.Proactive {
		return nil
	}
	return m.variants.Check(ctx, s.Row.Entry, s.Record.Terms, w.Caller, now)
}

// refusesReport returns why a report of the current token forces no renewal
// now; nil if it does, or if there is no report. If the descriptor can verify
// tokens, the provider decides; else the back-off does.
func (m *Mint) refusesReport(ctx context.Context, s records.Snapshot, w Want, now time.Time) *api.Error {
	if !w.isReport(s, now) || w.Trusted {
		return nil
	}
	if s.Record.Descriptor != nil && s.Record.Descriptor.Verifies() {
		switch result, err := m.Verifier.CheckOnce(ctx, s); {
		case err == nil && result.Works:
			const detail = "the provider takes this token: the 401 has another reason"
			return failure.Until(api.TooManyReports, detail, result.At.Add(schedule.YoungToken), now)
		case err == nil:
			return nil
		}
	}
	if until := schedule.ForcedNotBefore(s.Row.Entry); now.Before(until) {
		const detail = "reports have replaced this token often enough for now"
		return failure.Until(api.TooManyReports, detail, until, now)
	}
	return nil
}

// fallBack answers with the token at hand if it can be used, else with err.
func (m *Mint) fallBack(s records.Snapshot, w Want, err error) (Result, error) {
	now := clock.Now()
	if !w.canUse(s, now) || failure.IsStoreOrSeal(err) && !m.Records.StandsAlone(s, now) {
		return Result{}, failure.API(err)
	}
	return m.result(s, now), nil
}

func (m *Mint) result(s records.Snapshot, now time.Time) Result {
	r := Result{
		Token: s.Row.Token, Origin: s.Row.Origin(), Stale: s.IsStale(m.Period, now), Failure: s.Failure(),
	}
	if d := s.Record.Descriptor; d != nil {
		r.Use = d.Use
	}
	return r
}

// look returns what is known of a key: from memory if that is fresh enough and
// serves, else from a read of the entry if [Want.mayReadAlone] and that serves,
// else from one read of the entry and of its credential's record. With an error
// the snapshot is that of memory.
func (m *Mint) look(ctx context.Context, key token.Key, w Want) (records.Snapshot, error) {
	s, now := m.Records.Recall(key), clock.Now()
	if w.Rejected == "" && s.Record.IsLive() && s.IsFresh(now) && (w.servedBy(s, now) || s.JustRead(now)) {
		return s, nil
	}
	if w.mayReadAlone(s, now) {
		next, err := m.readAlone(ctx, key, s)
		if err != nil || w.servedBy(next, now) {
			return next, err
		}
	}
	consistency := store.Eventual
	if w.Rejected != "" {
		consistency = store.Strong
	}
	rows, err := m.Records.Load(ctx, consistency, token.RecordKey(key.Credential), key)
	if err != nil {
		return s, err
	}
	record, err := m.Registry.Existing(ctx, rows[0])
	if err != nil {
		return records.Snapshot{}, err
	}
	return records.NewSnapshot(record, rows[1]), nil
}

// readAlone reads an entry and leaves its credential's record as it is known.
// That costs half of reading both. With an error it returns s.
func (m *Mint) readAlone(ctx context.Context, key token.Key, s records.Snapshot) (records.Snapshot, error) {
	rows, err := m.Records.Load(ctx, store.Eventual, key)
	if err != nil {
		return s, err
	}
	return records.NewSnapshot(s.Record, rows[0]), nil
}

// Look returns what is known of a key, from memory or from one read. The
// credential is learned if it was never seen.
func (m *Mint) Look(ctx context.Context, key token.Key) (records.Snapshot, error) {
	return m.look(ctx, key, Want{Proactive: true})
}
