package mint

import (
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// view is a key's entry and its credential's own row, as one moment showed them. Either may be nil: not seen yet.
type view struct {
	own, entry *known
	*judgement // nil without both
}

// holds says whether the view has a token that may be handed out at all: made for these terms and still alive.
func (v view) holds(now time.Time) bool {
	return v.own.live() && v.entry != nil && !v.entry.token.IsZero() && v.vendable() && v.request && v.entry.token.Left(now) > 0
}

// vendable says whether what the entry holds may be handed out: a token that outlives its grant may.
func (v view) vendable() bool {
	return v.entry.entry.State == store.Live || v.entry.entry.State == store.Reauthorize
}

// serves says whether the token at hand is what is wanted.
func (v view) serves(w Want, now time.Time) bool {
	if !v.suffices(w, now) {
		return false
	}
	t, e := v.entry.token, v.entry.entry
	if (w.Proactive || v.speaks.revokes) && !now.Before(e.RenewAt) {
		return false
	}
	if w.Proactive && !e.NextAt.IsZero() && !now.Before(e.NextAt) {
		return false // a report or a floor wanted another token, and the attempt failed: it is time to try again
	}
	return w.Life > 0 || w.Proactive || t.Left(now) >= wish(t.ExpiresAt.Sub(t.IssuedAt), v.speaks)
}

// suffices says whether the token at hand is good enough where nothing better can be had.
func (v view) suffices(w Want, now time.Time) bool {
	return v.holds(now) && v.entry.token.Fingerprint != w.Rejected && v.entry.token.Left(now) >= w.Life
}

func (m *Mint) result(v view, now time.Time) Result {
	return Result{Token: v.entry.token, Origin: v.entry.from(), Stale: m.stale(v, now), Failure: v.failure()}
}

// stale says whether a living token should have been renewed by now: its time has passed, and an attempt has failed or the schedule has had a whole period for one.
func (m *Mint) stale(v view, now time.Time) bool {
	late := now.Sub(v.entry.entry.RenewAt)
	return v.holds(now) && (late >= m.Every || late >= 0 && !v.failure().IsZero())
}

// failure is what went wrong last: with the client as a whole, else with this entry. One of another version of the secret is over.
func (v view) failure() store.Failure {
	for _, k := range []*known{v.own, v.entry} {
		if k != nil && !k.entry.Failure.IsZero() && k.entry.Failure.Version == v.version() {
			return k.entry.Failure
		}
	}
	return store.Failure{}
}

func (v view) version() string {
	if v.own == nil {
		return ""
	}
	return v.own.terms.Version
}

// forbids says why no attempt to get a better token may be made now; nil: one may.
func (v view) forbids(w Want, now time.Time) *api.Error {
	if !v.own.live() {
		return unknown(v.own.entry.Key.Credential)
	}
	if err := v.tooLong(w, now); err != nil {
		return err
	}
	if v.holds(now) && v.entry.token.Fingerprint == w.Rejected && now.Sub(v.entry.token.IssuedAt) < youngToken {
		return refusal(api.TooManyReports, "the token is younger than 30 seconds", v.entry.token.IssuedAt.Add(youngToken), now)
	}
	if v.entry.entry.State == store.Revoking {
		return refusal(api.ProviderUnavailable, "the token is being revoked at the provider", v.entry.entry.NextAt, now)
	}
	if err := v.grantOver(w); err != nil {
		return err
	}
	if until := v.own.entry.CooldownUntil; now.Before(until) {
		return refusal(api.ProviderUnavailable, "the provider asked for a pause", until, now)
	}
	if f := v.failure(); now.Before(f.RetryAt) && !w.IgnoreBackoff && !v.waitsForHost(now) {
		return refusal(api.Code(f.Code), f.Detail, f.RetryAt, now)
	}
	if until := v.entry.entry.HoldUntil; v.holds(now) && now.Before(until) {
		return refusal(api.ProviderUnavailable, "the provider hands out the same token until it is over", until, now)
	}
	return nil
}

// grantOver says whether only a person can help: nobody has connected the account, or its grant is over. A new secret may bring another refresh token, and an operator may insist on one that is left.
func (v view) grantOver(w Want) *api.Error {
	e, variant := v.entry.entry, v.entry.entry.Key.Variant
	left := !v.entry.refresh.IsZero() && v.accepted
	switch {
	case v.entry.outdated && v.granted():
		return &api.Error{Code: api.Misconfigured, Detail: "the grant is stored in the first row format, which is not read any more: set the parameter RowFormat to migrate"}
	case v.moved():
		return &api.Error{Code: api.ReauthorizationRequired, Detail: v.movedDetail()}
	case e.State == store.Reauthorize && !(w.IgnoreBackoff && (left || !v.own.terms.Connected(variant))) && v.wasToldOver():
		return &api.Error{Code: api.ReauthorizationRequired, Detail: e.Failure.Detail}
	case e.State == store.Live && v.own.terms.Connected(variant) && !left:
		return &api.Error{Code: api.ReauthorizationRequired, Detail: v.withoutRefresh()}
	}
	return nil
}

// moved reports whether the entry holds a grant that was given at another
// destination than the one in force. It is kept, and sent nowhere.
func (v view) moved() bool {
	return v.granted() && !v.entry.refresh.IsZero() && !v.accepted && v.entry.digests.destination != ""
}

func (v view) movedDetail() string {
	return "the credential's destination has changed since the grant was given: an operator accepts that (tokenvend accept " +
		v.own.terms.Name + "), or the account is connected again"
}

// wasToldOver reports whether the end of the grant holds for the secret as it
// is now. A new version may bring another refresh token, and an attempt with
// it that failed for another reason goes on.
func (v view) wasToldOver() bool {
	e := v.entry.entry
	return v.own.terms.Connected(e.Key.Variant) || e.Failure.Version == v.version() && e.Failure.Code == string(api.ReauthorizationRequired)
}

// beyondHalf says whether a floor is above half the life that this provider gives, as far as that is known.
func (v view) beyondHalf(w Want) *api.Error {
	if w.Life == 0 || v.entry.token.IsZero() || !v.request {
		return nil
	}
	return atMost(w, v.entry.token.ExpiresAt.Sub(v.entry.token.IssuedAt)/2)
}

// tooLong says whether a floor can be met only by killing the token in use, or not at all because the provider would hand out the same one.
func (v view) tooLong(w Want, now time.Time) *api.Error {
	if w.Life == 0 || !v.holds(now) {
		return nil
	}
	if v.speaks.revokes && now.Before(v.entry.token.CacheUntil) || now.Before(v.entry.entry.HoldUntil) || v.tooEarly(now) {
		return atMost(w, v.entry.token.Left(now))
	}
	return nil
}

// tooEarly reports whether the provider would refuse a refresh now, by what
// its descriptor says.
func (v view) tooEarly(now time.Time) bool {
	earliest := v.speaks.earliest
	return earliest > 0 && !v.entry.refresh.IsZero() && now.Before(v.entry.token.ExpiresAt.Add(-earliest))
}

func atMost(w Want, longest time.Duration) *api.Error {
	if w.Life <= longest {
		return nil
	}
	return &api.Error{Code: api.TTLUnavailable, Detail: fmt.Sprintf("min_ttl: at most %d seconds are to be had", int(longest/time.Second))}
}

// refusal is an error that says when to come back.
func refusal(code api.Code, detail string, until, now time.Time) *api.Error {
	return &api.Error{Code: code, Detail: detail, RetryAfter: max(until.Sub(now), 0)}
}
