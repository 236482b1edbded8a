package mint

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Renew obtains a token that w wants, for a pass of rotate or for an operator.
// An error is the reason why the token was not renewed, also if the one at hand
// can still be used. An entry that may not be tried now becomes due when it
// may. Errors are of type *api.Error.
func (m *Mint) Renew(ctx context.Context, key token.Key, w Want) error {
	w.Proactive = true
	r, err := m.Token(ctx, key, w)
	if s := m.Records.Recall(key); isStillDue(s) {
		m.postpone(ctx, s)
		if err == nil {
			err = &api.Error{Code: api.ProviderUnavailable, Detail: "the provider may not be asked now"}
		}
	}
	if err == nil && !r.Failure.IsZero() {
		err = &api.Error{Code: api.Code(r.Failure.Code), Detail: r.Failure.Detail}
	}
	return err
}

// isStillDue reports whether a due entry was not tried: a pause that the
// provider asked for, or a failure of the client as a whole, forbade it.
func isStillDue(s records.Snapshot) bool {
	return s.Record.IsLive() && s.Row != nil && !s.Row.NextAt.IsZero() && !clock.Now().Before(s.Row.NextAt)
}

// postpone makes such an entry due when it may be tried, so that it does not
// take the place of others until then.
func (m *Mint) postpone(ctx context.Context, s records.Snapshot) {
	now := clock.Now()
	until := schedule.Postponed(s.Record.Entry, s.Row.Entry, s.Failure(), m.Hosts.Until(s, now))
	if until.After(now) {
		_ = m.Records.MakeDue(ctx, s.Row.Entry, until) // else the next pass tries it again
	}
}
