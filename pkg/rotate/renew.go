package rotate

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/operate"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
	"github.com/tokenvend/tokenvend/pkg/variants"
)

// Renew renews an entry that is due, or retires it if nobody has requested it
// for too long. An entry that is being revoked is revoked again. Errors are of
// type *api.Error.
func (rt *Rotator) Renew(ctx context.Context, key token.Key) (Renewal, error) {
	s, err := rt.Mint.Look(ctx, key)
	switch {
	case isCode(err, api.UnknownCredential):
		return rt.retire(ctx, key, schedule.Retire)
	case err != nil:
		return Failed, failure.API(err)
	case s.Row.State == store.Revoking:
		if err := operate.New(rt.Mint).RevokeAgain(ctx, key); err != nil {
			return Failed, err
		}
		return Retired, nil
	case isIdle(s, clock.Now()):
		return rt.retire(ctx, key, schedule.Retire)
	}
	err = rt.Mint.Renew(ctx, key, mint.Want{})
	if isCode(err, api.ReauthorizationRequired) {
		rt.giveUp(ctx, rt.Mint.Records.Recall(key), err)
	}
	if err != nil {
		return Failed, err
	}
	return Renewed, nil
}

// isIdle reports whether nobody has requested an entry since it was minted, for
// the time that its terms allow. A grant that could be lost is kept alive
// regardless.
func isIdle(s records.Snapshot, now time.Time) bool {
	if s.Granted() || s.Record.IsWarm(s.Row.Key) {
		return false
	}
	if variants.IsCounted(s.Record.Terms, s.Row.Key.Variant) && !now.Before(schedule.FreedAt(s.Row.Entry)) {
		return true
	}
	return schedule.IsIdle(s.Row.Entry, time.Duration(s.Record.Terms.IdleAfter), now)
}

// giveUp retires a grant that only a user can renew. One that was given for
// other terms than the secret has now was not tried, so it is logged here.
func (rt *Rotator) giveUp(ctx context.Context, s records.Snapshot, why error) {
	e := s.Row.Entry
	if e.NextAt.IsZero() {
		return
	}
	var known *api.Error
	if e.State == store.Live && errors.As(why, &known) {
		rt.Mint.Journal.Mint(ctx, journal.Mint{
			Credential: e.Key.Credential, Variant: e.Key.SortKey(), Provider: s.Record.Provider(),
			Generation: e.Generation, Code: string(known.Code), Detail: known.Detail, ForGood: true,
		})
	}
	how := schedule.Retire
	if s.IsHeldBack() {
		how = func(e *store.Entry) { schedule.Retire(e); schedule.KeepForOperator(e) }
	}
	_, _ = rt.retire(ctx, e.Key, how) // else the next pass tries again
}

// retire makes an entry never due, by a function of schedule. The next request
// for it mints it anew.
func (rt *Rotator) retire(ctx context.Context, key token.Key, how func(*store.Entry)) (Renewal, error) {
	entries, err := rt.Mint.Records.Store.Get(ctx, store.Strong, key)
	if err != nil {
		return Failed, rt.Mint.Records.ReadError(ctx, key.Credential, err)
	}
	next := entries[0]
	how(&next)
	if next.Revision > 0 && !rt.Mint.Records.Replace(ctx, entries[0], next) {
		return Failed, &api.Error{Code: api.StoreUnavailable, Detail: "the entry is being changed by another"}
	}
	return Retired, nil
}

func isCode(err error, code api.Code) bool {
	var known *api.Error
	return errors.As(err, &known) && known.Code == code
}
