package attempt

import (
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// This file applies the rule of package grant to one attempt: which refresh
// token may be sent now, what came of it, and what is written down.

// refreshAttempt is the refresh token of one attempt.
type refreshAttempt struct {
	token     redact.String // zero: there is none
	seed      bool          // it is the secret's own
	expired   bool          // it has expired and is not sent
	mayBeUsed bool          // an answer to it was lost, so that it may be used up
	held      bool          // it must not be sent now
	waits     bool          // it may be sent once the access token has expired, in a moment
	reuse     grant.Reuse
	outcome   grant.Outcome // "": it was not sent
}

// newRefreshAttempt returns the refresh token at hand, and whether it may be
// sent. ignoreBackoff: an operator wants it sent though the rule says
// otherwise.
func newRefreshAttempt(
	s records.Snapshot, c credential.Credential, lease store.Lease, ignoreBackoff bool,
) refreshAttempt {
	r := refreshToken(s, c, ignoreBackoff)
	r.reuse = grant.ReuseOf(s.Record.Descriptor)
	r.mayBeUsed = r.mayBeUsed || lease.Attempt > 1 // each holder that did not commit may have sent it
	r.held = r.mayBeUsed && !ignoreBackoff && s.HoldsRefresh(r.reuse, clock.Now())
	r.waits = r.mayBeUsed && !r.held && grant.Holds(r.reuse, grant.Living)
	return r
}

// maySend reports whether there is a refresh token to send now.
func (r refreshAttempt) maySend() bool { return !r.token.IsZero() && !r.held && !r.expired }

// refreshToken returns the entry's own refresh token, else the secret's, unless
// that was tried already.
func refreshToken(s records.Snapshot, c credential.Credential, ignoreBackoff bool) refreshAttempt {
	row := s.Row
	seed := c.Refresh
	if row.Key.Variant.Account != "" {
		seed = redact.String{}
	}
	stored := !row.Refresh.IsZero() && s.Accepted
	expired := stored && !ignoreBackoff && !row.RefreshUntil.IsZero() && !clock.Now().Before(row.RefreshUntil)
	fresh := isNewSeed(s, seed)
	switch {
	case s.Record.Descriptor == nil, !s.Record.Descriptor.Refreshes():
		return refreshAttempt{}
	case stored && !expired && !(fresh && row.State == store.Reauthorize):
		return refreshAttempt{token: row.Refresh, mayBeUsed: row.RefreshSpent}
	case fresh:
		return refreshAttempt{token: seed, seed: true, mayBeUsed: row.RefreshSpent && row.Seed == ""}
	case expired:
		return refreshAttempt{token: row.Refresh, expired: true}
	case !seed.IsZero() && (row.RefreshSpent || ignoreBackoff) && row.Refresh.IsZero():
		return refreshAttempt{token: seed, seed: true, mayBeUsed: row.RefreshSpent}
	}
	return refreshAttempt{}
}

// isNewSeed reports whether the secret's refresh token was not tried yet.
func isNewSeed(s records.Snapshot, seed redact.String) bool {
	switch {
	case seed.IsZero():
		return false
	case s.Row.Seed == "":
		return s.Row.Generation == 0 || s.Granted() && s.Row.Refresh.IsZero()
	}
	return s.Row.Seed != token.Fingerprint(seed)
}

func expiredAtProvider(s records.Snapshot) time.Time {
	return schedule.ExpiredAtProvider(s.Row.Token, s.Row.IssuedWithin)
}

// sent notes what came of sending the refresh token; err is nil if it obtained
// a token.
func (r *refreshAttempt) sent(err error) {
	var e *provider.Error
	switch {
	case err == nil:
		r.outcome = grant.Renewed
	case errors.As(err, &e):
		r.outcome = grant.OutcomeOf(e)
	}
}

// keep writes into next what is known of the refresh token after an attempt
// that obtained none. reseal: the sealed part has changed.
func (r refreshAttempt) keep(next *row.Row, granted bool) (reseal bool) {
	next.RefreshSpent = grant.MayBeUsedUp(r.mayBeUsed, r.outcome)
	over := r.outcome == grant.Over
	if r.seed && (over || r.outcome == grant.Lost) {
		next.Seed, reseal = token.Fingerprint(r.token), true
	}
	if over && !r.seed && !granted { // tokens are obtained without it; it would only be refused again
		next.Refresh, next.RefreshUntil, reseal = redact.String{}, time.Time{}, true
	}
	return reseal
}
