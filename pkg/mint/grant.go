package mint

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// This file applies the rule of package grant to one attempt: which refresh
// token may be sent now, what came of it, and what is written down.

// refreshAttempt is the refresh token of one attempt.
type refreshAttempt struct {
	token     redact.String // zero: there is none
	seed      bool          // it is the secret's own
	expired   bool          // its own end has come; it is not sent
	mayBeUsed bool          // an answer to it was lost, so that it may be used up
	held      bool          // it must not be sent now
	waits     bool          // it may be sent once the access token is over, in a moment
	reuse     grant.Reuse
	outcome   grant.Outcome // "": it was not sent
}

// granted reports whether the view's tokens come by a grant that somebody
// gave.
func (v view) granted() bool { return v.own.terms.Granted(v.entry.entry.Key.Variant) }

// refreshAttempt returns the refresh token at hand, and whether it may be
// sent. insist: an operator wants it sent though the rule says otherwise.
func (v view) refreshAttempt(c credential.Credential, lease store.Lease, insist bool) refreshAttempt {
	p := v.refreshToken(c, insist)
	p.reuse = reuseOf(v.own.descriptor)
	p.mayBeUsed = p.mayBeUsed || lease.Attempt > 1 // each holder that vanished may have sent it
	p.held = p.mayBeUsed && !insist && v.holdsRefresh(p.reuse, wall())
	p.waits = p.mayBeUsed && !p.held && grant.Holds(p.reuse, grant.Living)
	return p
}

// holdsRefresh reports whether a refresh token that may be used up must not
// be sent now. Where client credentials bring tokens, it need never be.
func (v view) holdsRefresh(reuse grant.Reuse, now time.Time) bool {
	if !v.granted() {
		return grant.Holds(reuse, grant.Living)
	}
	return grant.Holds(reuse, grant.AccessOf(now.Before(v.heldUntil())))
}

// refreshToken is the entry's own refresh token, else the one that the secret
// brings, unless that was tried already.
func (v view) refreshToken(c credential.Credential, insist bool) refreshAttempt {
	e := v.entry.entry
	seed := c.Refresh
	if e.Key.Variant.Account != "" {
		seed = redact.String{}
	}
	stored := !v.entry.refresh.IsZero() && v.accepted
	expired := stored && !insist && !e.RefreshUntil.IsZero() && !wall().Before(e.RefreshUntil)
	fresh := v.bringsNew(seed)
	switch {
	case v.own.descriptor == nil, !v.own.descriptor.Refreshes():
		return refreshAttempt{}
	case stored && !expired && !(fresh && e.State == store.Reauthorize):
		return refreshAttempt{token: v.entry.refresh, mayBeUsed: e.RefreshSpent}
	case fresh:
		return refreshAttempt{token: seed, seed: true, mayBeUsed: e.RefreshSpent && v.entry.seed == ""}
	case expired:
		return refreshAttempt{token: v.entry.refresh, expired: true}
	case !seed.IsZero() && (e.RefreshSpent || insist) && v.entry.refresh.IsZero():
		return refreshAttempt{token: seed, seed: true, mayBeUsed: e.RefreshSpent}
	}
	return refreshAttempt{}
}

// bringsNew reports whether the secret's refresh token was not tried yet.
func (v view) bringsNew(seed redact.String) bool {
	switch {
	case seed.IsZero():
		return false
	case v.entry.seed == "":
		return v.entry.entry.Generation == 0 || v.granted() && v.entry.refresh.IsZero()
	}
	return v.entry.seed != token.Fingerprint(seed)
}

// reuseOf is what a descriptor says of reuse, in the words of the rule.
func reuseOf(d *descriptor.Descriptor) grant.Reuse {
	if d == nil {
		return grant.Unknown
	}
	if !d.SingleUse() {
		return grant.MultiUse
	}
	switch d.Reuse() {
	case descriptor.ReuseTolerated:
		return grant.Tolerated
	case descriptor.ReuseRefused:
		return grant.Refused
	case descriptor.ReuseRevokesFamily:
		return grant.RevokesFamily
	}
	return grant.Unknown
}

// asks are the requests to try in turn: the refresh token where it may be
// sent, and client credentials where they bring tokens.
func (v view) asks(p refreshAttempt) []provider.TokenRequest {
	var asks []provider.TokenRequest
	variant := v.entry.entry.Key.Variant
	scope, audience := v.own.terms.Asks(variant)
	if !p.token.IsZero() && !p.held && !p.expired {
		ask := provider.TokenRequest{Grant: descriptor.RefreshToken, Refresh: p.token}
		if !v.own.terms.Connected(variant) { // a person's grant has the scope that the person gave it (RFC 6749 §6)
			ask.Scope, ask.Audience = scope, audience
		}
		asks = append(asks, ask)
	}
	if !v.granted() {
		asks = append(asks, provider.TokenRequest{Grant: descriptor.ClientCredentials, Scope: scope, Audience: audience})
	}
	return asks
}

// sent notes what came of sending the refresh token; err is nil where it
// brought a token.
func (p *refreshAttempt) sent(err error) {
	var e *provider.Error
	switch {
	case err == nil:
		p.outcome = grant.Renewed
	case errors.As(err, &e):
		p.outcome = outcomeOf(e)
	}
}

// outcomeOf reads what a failed refresh says of the refresh token. Only an
// answer that did not come, or that a server in trouble gave, may have used it
// up; whatever refuses in words has not.
func outcomeOf(e *provider.Error) grant.Outcome {
	const cannotServe, tooEarly, misdirected = 503, 425, 421
	switch {
	case e.Meaning == descriptor.GrantOver:
		return grant.Over
	case e.Meaning == descriptor.TooEarly:
		return grant.TooEarly
	case e.Meaning == descriptor.TryLater:
		return grant.TryLater
	case !e.Sent, e.Client, e.Kind == provider.Rejected, e.Kind == provider.Misconfigured:
		return grant.Unrelated
	case e.Status == cannotServe, e.Status == tooEarly, e.Status == misdirected, e.Status/100 == 3:
		return grant.Unrelated
	}
	return grant.Lost
}

// judgeGrant returns what is to be told where a grant has brought no token,
// and when it is tried again.
func (m *Mint) judgeGrant(ctx context.Context, lease store.Lease, v view, out *outcome) *fault {
	p := &out.refresh
	if p.expired {
		p.outcome = grant.Expired
	}
	switch {
	case p.token.IsZero():
		return grantIsOver(v.withoutRefresh())
	case p.held:
		return &fault{
			code: api.ProviderUnavailable, hold: v.heldUntil(),
			detail: "the last answer to the refresh token was lost or could not be read; " +
				"it is sent again when the access token is over",
		}
	case p.outcome == "" || out.failed == nil && !p.expired:
		return out.failed
	}
	failed := out.failed
	if failed != nil && v.entry.entry.Generation > 0 {
		failed = failed.ofWorkingGrant()
	}
	switch grant.Decide(p.outcome, p.reuse, grant.AccessOf(v.holds(wall()))).Next {
	case grant.OnRequest:
		return m.overUnlessReplaced(ctx, lease, p, failed)
	case grant.AfterEnd:
		failed.hold = v.heldUntil()
	case grant.Halfway:
		failed.hold = v.nextAfterTooEarly(failed.until)
	}
	return failed
}

func grantIsOver(detail string) *fault {
	return &fault{code: api.ReauthorizationRequired, detail: detail, permanent: true}
}

// overUnlessReplaced returns the end of a grant, once a strong read shows that
// its refresh token is still the stored one. Who loses a race to another
// holder of the lease hears the same words from the provider.
func (m *Mint) overUnlessReplaced(ctx context.Context, lease store.Lease, p *refreshAttempt, failed *fault) *fault {
	if p.outcome == grant.Expired {
		return grantIsOver("the refresh token's own end has come: connect the account again")
	}
	entries, err := m.Store.Get(ctx, store.Strong, lease.Entry.Key)
	switch {
	case err != nil:
		p.outcome = grant.Unrelated
		return &fault{
			code: api.StoreUnavailable, answered: true,
			detail: "the provider refused the refresh token, and the store could not tell whether it is the current one",
		}
	case entries[0].Revision != lease.Entry.Revision, !entries[0].LeasedUntil.Equal(lease.Entry.LeasedUntil):
		p.outcome = grant.Unrelated
		return &fault{
			code: api.ProviderUnavailable, answered: true,
			detail: "another process has renewed the grant meanwhile",
		}
	}
	over := grantIsOver("the provider takes the refresh token no more: " + failed.detail)
	over.answered = true
	return over
}

// withoutRefresh says why there is no refresh token to send.
func (v view) withoutRefresh() string {
	e := v.entry.entry
	if !v.own.terms.Connected(e.Key.Variant) {
		return "there is no refresh token that works any more: put a new one into the secret"
	}
	switch {
	case e.Fingerprint == "" && e.RequestDigest == "" && v.entry.digests == (digests{}):
		return "nobody has connected this account yet"
	case !v.accepted:
		return "the account was connected at other endpoints or for another client: connect it again"
	}
	return "the provider gave no refresh token, so the grant ended with its access token; " +
		askForRefresh + ", and connect the account again"
}

// askForRefresh is what helps where a provider gives no refresh token.
const askForRefresh = `ask for one (many providers want the scope "offline_access", ` +
	`others a parameter such as access_type=offline in the descriptor's "authorize")`

// keep writes into next what is known of the refresh token after an attempt
// that brought none. reseal: what is sealed has changed.
func (p refreshAttempt) keep(next *row, granted bool) (reseal bool) {
	e := &next.entry
	e.RefreshSpent = grant.MayBeUsedUp(p.mayBeUsed, p.outcome)
	over := p.outcome == grant.Over
	if p.seed && (over || p.outcome == grant.Lost) {
		next.seed, reseal = token.Fingerprint(p.token), true
	}
	if over && !p.seed && !granted { // client credentials bring tokens; it would only be refused again
		next.refresh, e.RefreshUntil, reseal = redact.String{}, time.Time{}, true
	}
	return reseal
}
