package mint

import (
	"context"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// forcedWaits is how long after a renewal that a report forced the next may be
// forced: after the first, the second, and each later one in a row. At a
// provider whose renewal ends the token before, each costs every caller its
// token.
var forcedWaits = [...]time.Duration{2 * time.Minute, 10 * time.Minute, 30 * time.Minute}

// longestQuiet bounds how long no report may force a renewal before forced
// renewals are counted from the beginning.
const longestQuiet = 30 * time.Minute

// forcedState is what an entry says about renewals that reports forced.
type forcedState struct {
	count int       // in a row
	last  time.Time // the last of them
	life  time.Duration
}

func forcedStateOf(e store.Entry) forcedState {
	return forcedState{count: e.ForcedCount, last: e.ForcedAt, life: e.ExpiresAt.Sub(e.IssuedAt)}
}

// notBefore returns when the next renewal may be forced.
func (f forcedState) notBefore() time.Time {
	if f.count <= 0 || f.last.IsZero() {
		return time.Time{}
	}
	return f.last.Add(forcedWaits[min(f.count, len(forcedWaits))-1])
}

// next returns the count after a renewal that is forced at the time now. The
// count begins again if half a life has passed in which one could have been
// forced and none was: whoever goes on reporting forces one as soon as it may.
func (f forcedState) next(now time.Time) int {
	quiet := min(max(f.life, 0)/2, longestQuiet)
	if !now.Before(f.notBefore().Add(quiet)) {
		return 1
	}
	return f.count + 1
}

// reported reports whether w says that the view's living token does not work.
func (v view) reported(w Want, now time.Time) bool {
	return w.Rejected != "" && v.holds(now) && v.entry.token.Fingerprint == w.Rejected
}

// refusesReport returns why a report of the current token forces no renewal
// now; nil if it does, or if there is no report. Where the descriptor can
// verify tokens, the provider decides; else the back-off does.
func (m *Mint) refusesReport(ctx context.Context, v view, w Want, now time.Time) *api.Error {
	if !v.reported(w, now) || w.Trusted {
		return nil
	}
	if v.own.descriptor != nil && v.own.descriptor.Verifies() {
		switch said, err := m.provenOnce(ctx, v); {
		case err == nil && said.works:
			const detail = "the provider takes this token: the 401 has another reason"
			return refusal(api.TooManyReports, detail, said.at.Add(youngToken), now)
		case err == nil:
			return nil
		}
	}
	if until := forcedStateOf(v.entry.entry).notBefore(); now.Before(until) {
		return refusal(api.TooManyReports, "reports have replaced this token often enough for now", until, now)
	}
	return nil
}

// provenOnce asks the provider whether it takes the view's token, unless it
// has just said so. Many who report one token ask once.
func (m *Mint) provenOnce(ctx context.Context, v view) (proof, error) {
	of := v.entry.entry.Key.String() + " " + v.entry.token.Fingerprint
	asked := m.proofs.asks.DoChan(of, func() (said any, err error) {
		m.flights.running.Add(1)
		defer m.flights.running.Done()
		defer m.recovered(ctx, &err)
		ctx, cancel := detach(ctx)
		defer cancel()
		return m.proven(ctx, v, youngToken)
	})
	select {
	case r := <-asked:
		said, _ := r.Val.(proof)
		return said, r.Err
	case <-ctx.Done():
		return proof{}, ctx.Err()
	}
}

// countForced notes in next that a report forces a renewal.
func countForced(next *store.Entry, now time.Time) {
	next.ForcedCount, next.ForcedAt = forcedStateOf(*next).next(now), now
}
