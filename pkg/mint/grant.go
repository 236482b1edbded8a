package mint

import (
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// A refresh token of one use is the whole of a grant: if the answer to it is lost, so may be the grant, and whoever sends it again may be taken for a thief. So it is sent once; and once more only
//   - where the provider is known to tolerate that, or
//   - where nothing else brings tokens and the access token is over, so that nothing is left to lose.
// If it is refused then, or no answer comes again, the grant is over and only a person can give another.

// pending is a refresh token about to be sent, and what came of it.
type pending struct {
	token  redact.String // zero: there is none
	seed   bool          // it is the secret's own
	before int           // how often at most it was sent before, without an answer
	held   bool          // there is one, and it may not be sent now

	lost    bool // it was sent now, and may have been used up without an answer
	refused bool // it was sent now, and is worth nothing any more
}

// granted says whether the view's tokens come by a grant that somebody gave.
func (v view) granted() bool { return v.own.terms.Granted(v.entry.entry.Key.Variant) }

// pending is the refresh token at hand. insist: an operator wants it sent though answers were lost twice.
func (v view) pending(c credential.Credential, lease store.Lease, insist bool) pending {
	p := v.atHand(c)
	p.before += lease.Attempt - 1 // each holder that vanished may have sent it
	if d := v.own.descriptor; p.token.IsZero() || !d.SingleUse() || d.Reuse() == provider.ReuseTolerated {
		p.before = 0
	}
	nothingToLose := v.granted() && !v.holds(wall()) && !wall().Before(v.surelyOver())
	p.held = p.before > 0 && !(nothingToLose && (p.before == 1 || insist))
	return p
}

// surelyOver is when the access token at hand is over by the provider's clock too. Its life is counted from before it was asked for; it was issued later, at most by the time that the exchange may have taken.
func (v view) surelyOver() time.Time {
	if v.entry.token.IsZero() {
		return time.Time{}
	}
	return v.entry.token.ExpiresAt.Add(ExchangeTimeout)
}

// atHand is the entry's own refresh token, else the one that the secret brings, unless that was tried already.
func (v view) atHand(c credential.Credential) pending {
	e, before := v.entry.entry, spentBefore(v.entry.entry)
	switch {
	case !v.own.descriptor.Refreshes():
		return pending{}
	case !v.entry.refresh.IsZero() && v.accepted && (e.RefreshUntil.IsZero() || wall().Before(e.RefreshUntil)):
		return pending{token: v.entry.refresh, before: before}
	case c.Refresh.IsZero() || e.Key.Variant.Account != "":
		return pending{}
	case v.entry.seed != "" && v.entry.seed != token.Fingerprint(c.Refresh):
		return pending{token: c.Refresh, seed: true}
	case v.entry.seed == "" && e.Generation == 0:
		return pending{token: c.Refresh, seed: true, before: before}
	case e.RefreshSpent && v.entry.refresh.IsZero():
		return pending{token: c.Refresh, seed: true, before: before}
	}
	return pending{}
}

func spentBefore(e store.Entry) int {
	if e.RefreshSpent {
		return 1
	}
	return 0
}

// asks are the requests to try in turn: the refresh token where it may be sent, and client credentials where they bring tokens.
func (v view) asks(p pending) []provider.Ask {
	var asks []provider.Ask
	variant := v.entry.entry.Key.Variant
	scope, audience := v.own.terms.Asks(variant)
	if !p.token.IsZero() && !p.held {
		ask := provider.Ask{Grant: provider.RefreshToken, Refresh: p.token}
		if !v.own.terms.Connected(variant) { // a person's grant has the scope that the person gave it (RFC 6749 §6)
			ask.Scope, ask.Audience = scope, audience
		}
		asks = append(asks, ask)
	}
	if !v.granted() {
		asks = append(asks, provider.Ask{Grant: provider.ClientCredentials, Scope: scope, Audience: audience})
	}
	return asks
}

// sent notes what came of sending the refresh token; err is nil where it brought a token.
func (p *pending) sent(err error, d *provider.Descriptor) {
	var e *provider.Error
	if !errors.As(err, &e) {
		return
	}
	p.refused = e.RefusesGrant()
	p.lost = !p.refused && d.SingleUse() && d.Reuse() != provider.ReuseTolerated && mayBeUsedUp(e)
}

// mayBeUsedUp says whether a refresh token that was sent in vain may be used up all the same. What was refused before the token was looked at has not touched it: a client that is not known, a rate limit, a server that says it can't serve now (RFC 9110 §15.6.4), a page of a firewall.
func mayBeUsedUp(e *provider.Error) bool {
	const cannotServe = 503
	switch {
	case !e.Sent, e.Client, e.Status == cannotServe:
		return false
	case e.Kind == provider.Rejected:
		return e.Code != "" && !e.Permanent
	}
	return true
}

// judge is what is to be told, and when the next attempt may be made, where a grant has brought no token; failed is why, nil where nothing was sent.
func (p pending) judge(failed *fault, v view) *fault {
	over := func(detail string) *fault {
		return &fault{code: api.NeedsReauthorizing, detail: detail, permanent: true}
	}
	switch {
	case p.refused:
		return over("the provider takes the refresh token no more: " + failed.detail)
	case p.token.IsZero():
		return over("there is no refresh token that works any more")
	case p.held && p.before > 1, p.lost && p.before > 0:
		return over("twice no answer came to the refresh token, and it may be used up")
	case p.held:
		return &fault{code: api.ProviderUnavailable, detail: "an answer to the refresh token was lost; it is sent once more when the access token is over", until: v.surelyOver()}
	case p.lost && v.holds(wall()):
		failed.until = later(failed.until, v.surelyOver())
	case p.lost:
		failed.until = later(failed.until, wall().Add(lastChance))
	}
	return failed
}

// keep puts into next what is known of the refresh token after an attempt that brought none: whether it was sent, whether it is worth nothing. reseal: what is sealed has changed.
func (p pending) keep(next *row) (reseal bool) {
	e := &next.entry
	e.RefreshSpent = !p.refused && (p.lost || p.before > 0)
	if p.seed && (p.lost || p.refused) {
		next.seed, reseal = token.Fingerprint(p.token), true
	}
	if p.refused && !p.seed {
		next.refresh, e.RefreshUntil, reseal = redact.String{}, time.Time{}, true
	}
	return reseal
}
