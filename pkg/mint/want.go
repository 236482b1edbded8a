package mint

import (
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/outage"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// servedBy reports whether the token at hand is what is wanted.
func (w Want) servedBy(s records.Snapshot, now time.Time) bool {
	if !w.canUse(s, now) {
		return false
	}
	if (w.Proactive || s.Rules.Revokes) && !now.Before(s.Row.RenewAt) {
		return false
	}
	// A report or a min_ttl required another token, and the attempt failed: it
	// is time to try again.
	if w.Proactive && !s.Row.NextAt.IsZero() && !now.Before(s.Row.NextAt) {
		return false
	}
	t := s.Row.Token
	return w.Life > 0 || w.Proactive || t.Left(now) >= s.Rules.SoftMinTTL(t.ExpiresAt.Sub(t.IssuedAt))
}

// canUse reports whether the token at hand is good enough if no better one can
// be obtained.
func (w Want) canUse(s records.Snapshot, now time.Time) bool {
	return s.HasToken(now) && s.Row.Token.Fingerprint != w.Rejected && s.Row.Token.Left(now) >= w.Life
}

// mayReadAlone reports whether an entry may be read without its credential's
// record: the record in memory is as fresh as a vend from memory requires. An
// attempt to obtain a token depends on what other processes have noted in the
// record since, so both are read where one is likely: for rotate and operators,
// and where the token at hand has to be replaced.
func (w Want) mayReadAlone(s records.Snapshot, now time.Time) bool {
	return !w.Proactive && w.Rejected == "" && s.Record.IsLive() && s.Record.IsFresh(now) &&
		(s.Row == nil || w.servedBy(s, now))
}

// isReport reports whether w says that the snapshot's unexpired token does not
// work.
func (w Want) isReport(s records.Snapshot, now time.Time) bool {
	return w.Rejected != "" && s.HasToken(now) && s.Row.Token.Fingerprint == w.Rejected
}

// refusal returns why no attempt to obtain a better token may be made now; nil:
// one may.
func (w Want) refusal(s records.Snapshot, now time.Time) *api.Error {
	if !s.Record.IsLive() {
		return failure.UnknownCredential(s.Record.Key.Credential)
	}
	if err := w.tooLongNow(s, now); err != nil {
		return err
	}
	if issued := s.Row.Token.IssuedAt; w.isReport(s, now) && now.Sub(issued) < schedule.YoungToken {
		const detail = "the token is younger than 30 seconds"
		return failure.Until(api.TooManyReports, detail, issued.Add(schedule.YoungToken), now)
	}
	if s.Row.State == store.Revoking {
		const detail = "the token is being revoked at the provider"
		return failure.Until(api.ProviderUnavailable, detail, s.Row.NextAt, now)
	}
	if err := s.GrantEnded(w.IgnoreBackoff); err != nil {
		return err
	}
	return w.wait(s, now)
}

// wait returns why an attempt has to wait; nil: it has not.
func (w Want) wait(s records.Snapshot, now time.Time) *api.Error {
	if until := s.Record.CooldownUntil; now.Before(until) {
		return failure.Until(api.ProviderUnavailable, "the provider asked for a pause", until, now)
	}
	if f := s.Failure(); now.Before(f.RetryAt) && !w.IgnoreBackoff && !outage.Decides(s, now) {
		return failure.Until(api.Code(f.Code), f.Detail, f.RetryAt, now)
	}
	if until := s.Row.HoldUntil; s.HasToken(now) && now.Before(until) {
		const detail = "the provider hands out the same token until it is over"
		return failure.Until(api.ProviderUnavailable, detail, until, now)
	}
	return nil
}

// tooLong returns an error if the least life is above half of the life that
// this provider gives, as far as that is known.
func (w Want) tooLong(s records.Snapshot) *api.Error {
	if w.Life == 0 || s.Row == nil || s.Row.Token.IsZero() || !s.Requested {
		return nil
	}
	return w.atMost(s.Row.Token.ExpiresAt.Sub(s.Row.Token.IssuedAt) / 2)
}

// tooLongNow returns an error if the least life would require to revoke the
// token in use, or cannot be had because the provider would return the same
// one.
func (w Want) tooLongNow(s records.Snapshot, now time.Time) *api.Error {
	if w.Life == 0 || !s.HasToken(now) {
		return nil
	}
	revokes := s.Rules.Revokes && now.Before(s.Row.Token.CacheUntil)
	tooEarly := !s.Row.Refresh.IsZero() && s.Rules.TooEarly(s.Row.Token.ExpiresAt, now)
	if revokes || now.Before(s.Row.HoldUntil) || tooEarly {
		return w.atMost(s.Row.Token.Left(now))
	}
	return nil
}

func (w Want) atMost(longest time.Duration) *api.Error {
	if w.Life <= longest {
		return nil
	}
	detail := fmt.Sprintf("min_ttl: at most %d seconds are to be had", int(longest/time.Second))
	return &api.Error{Code: api.TTLUnavailable, Detail: detail}
}
