package mint

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// outcome is what one attempt brought.
type outcome struct {
	own     *known                // the credential's row as it stands by now
	client  credential.Credential // what the row was learnt from; of the version that brought the token, where one did
	changed bool                  // the secret has changed its destination meanwhile: everything is to be decided anew
	moved   bool                  // the entry's grant belongs to another destination: nothing was sent
	grant   descriptor.Grant      // the last that was tried
	answer  provider.TokenResponse
	failed  *fault         // nil: the answer holds a token
	refresh refreshAttempt // the refresh token at hand, and what became of it

	answered time.Time // when the last answer had arrived
}

// attempt brings a new token into being under a lease, or commits why it could not: either way all who wait learn of it.
func (m *Mint) attempt(ctx context.Context, lease store.Lease, v view, w Want) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	began := time.Now()
	out := m.ask(ctx, v, lease, w.IgnoreBackoff)
	if out.moved {
		_ = m.release(ctx, lease) // it gives itself back in time
		return m.reload(ctx, view{own: out.own, entry: v.entry})
	}
	next := *v.entry.with(lease.Entry)
	next.stamp(v.own.row)
	if !w.Proactive {
		claimPlace(&next.entry, v.own.terms, w.Caller, wall())
		next.entry.AskedAt = wall()
	}
	if v.reported(w, wall()) {
		countForced(&next.entry, wall())
	}
	defer m.reportHealth(ctx, v, &out)
	return m.conclude(ctx, lease, v, &next, &out, began)
}

// conclude commits what came of an attempt. What the provider has given and cannot be stored is not lost without a trace.
func (m *Mint) conclude(ctx context.Context, lease store.Lease, v view, next *row, out *outcome, began time.Time) (view, error) {
	if out.failed == nil {
		m.succeed(ctx, next, out)
	}
	if out.failed != nil {
		m.fail(ctx, next, out)
	}
	err := m.commit(ctx, lease, next.entry)
	m.note(ctx, lease, next.entry, *out, time.Since(began), err)
	if err != nil && v.granted() && !out.answer.Refresh.IsZero() {
		err = m.rescue(ctx, lease, next, err)
	}
	switch {
	case errors.Is(err, store.ErrLeaseLost):
		return m.reload(ctx, v)
	case err != nil:
		return v, storeUnavailable(err)
	}
	if out.failed == nil {
		m.noteReplaced(v, next, out)
	}
	next.entry.Revision, next.entry.LeasedUntil = lease.Entry.Revision+1, time.Time{}
	return m.viewOf(out.own, m.memory.put(next, Provider, wall())), nil
}

// ask reads the secret and asks the provider, grant after grant, within the time that all requests of one mint may take.
func (m *Mint) ask(ctx context.Context, v view, lease store.Lease, insist bool) outcome {
	ctx, cancel := context.WithTimeout(ctx, ExchangeTimeout)
	defer cancel()
	out := m.askOnce(ctx, v, lease, insist)
	if out.changed { // once: who changes it again has to wait
		out = m.askOnce(ctx, m.viewOf(out.own, v.entry), lease, insist)
	}
	return out
}

// askOnce is [Mint.ask] by one version of the secret, and those that may stand in for it.
func (m *Mint) askOnce(ctx context.Context, v view, lease store.Lease, insist bool) outcome {
	out := m.prepare(ctx, v)
	out.refresh.mayBeUsed = v.entry.entry.RefreshSpent || lease.Attempt > 1 // where the attempt ends here, that must not be forgotten
	if out.failed != nil {
		return out
	}
	v = m.viewOf(out.own, v.entry)
	if v.moved() {
		out.moved = true
		return out
	}
	out.refresh = v.refreshAttempt(out.client, lease, insist)
	if out.refresh.waits && !insist {
		_ = sleep(ctx, v.accessEnd().Sub(wall())) // at most holdWait
	}
	before := v.failure()
	for _, ask := range v.asks(out.refresh) {
		out = m.exchange(ctx, out, v.entry.entry.Key.Variant, ask, before)
		if out.changed || out.failed == nil || out.failed.client || out.failed.code != api.ProviderRejected {
			break
		}
	}
	if out.changed {
		return out
	}
	if out.failed == nil && provider.HoldsRefreshToken(out.answer.Access, v.entry.refresh, out.client.Refresh) {
		out.answer.Access = redact.String{}
		out.failed = &fault{code: api.ProviderMalformed, detail: "the access token of the answer holds a refresh token"}
	}
	if out.failed == nil && out.grant != "" {
		m.prove(ctx, &out)
	}
	if v.granted() && (out.failed != nil || out.grant == "") {
		out.failed = m.judgeGrant(ctx, lease, v, &out)
	}
	return out
}

// prepare reads the secret, and makes sure that what comes back could be sealed: a single-use refresh token would be lost.
func (m *Mint) prepare(ctx context.Context, v view) outcome {
	out := outcome{own: v.own}
	c, own, err := m.client(ctx, v.own)
	if err == nil {
		_, err = m.Sealer.Seal(ctx, c.Name, nil, nil)
	}
	out.own, out.client = own, c
	switch {
	case err != nil:
		out.failed = faultOf(err)
	case own.descriptor == nil:
		out.failed = &fault{code: api.Misconfigured, detail: "provider: expected one of the catalogue's", permanent: true, client: true}
	}
	return out
}

// exchange makes one request, by another version of the secret where the provider does not know the client. The pending
// and the previous version are tried where the failure before was none of the client. An outage is none, unless an
// intermediary may have refused the client in it.
func (m *Mint) exchange(ctx context.Context, out outcome, variant token.Variant, ask provider.TokenRequest, before store.Failure) outcome {
	var err error
	adopt := func(c credential.Credential) {
		before := out.own.digests.destination
		out.own, _ = m.adopt(ctx, out.own, c)
		out.changed = out.own.digests.destination != before
	}
	others := func() bool { return before.IsZero() || isOutage(before) && !faultOf(err).intermediary }
	for c := range m.candidates(ctx, out.client, others, adopt) {
		d, unknown := c.Speaks()
		if unknown != nil {
			continue
		}
		out.answer, err = provider.Endpoint{HTTP: m.HTTP, Clocks: &m.clocks, Descriptor: d, Client: c.Client}.Exchange(ctx, askOf(c.Terms, variant, ask))
		if !unknownClient(err) {
			out.client = c
			break
		}
	}
	out.grant, out.failed, out.answered = ask.Grant, nil, wall()
	if err != nil {
		out.failed = failureOf(err, ask.Grant)
	}
	if ask.Grant == descriptor.RefreshToken && out.answer.Refresh.IsZero() { // one that has been replaced is of no more interest
		out.refresh.sent(err)
	}
	return out
}

// askOf is a request as a version of the secret makes it, with its own scope and audience.
func askOf(terms credential.Terms, variant token.Variant, ask provider.TokenRequest) provider.TokenRequest {
	if ask.Grant == descriptor.ClientCredentials || ask.Grant == descriptor.RefreshToken && !terms.Connected(variant) {
		ask.Scope, ask.Audience = terms.Asks(variant)
	}
	return ask
}

// prove has a new token proven where the descriptor asks for it, at the provider that the version of the secret names which brought it. What can't be asked now is not held against the token.
func (m *Mint) prove(ctx context.Context, out *outcome) {
	d, err := out.client.Speaks()
	if err != nil || !d.VerifiesMinted() {
		return
	}
	endpoint := provider.Endpoint{HTTP: m.HTTP, Clocks: &m.clocks, Descriptor: d, Client: out.client.Client}
	if works, err := endpoint.VerifyToken(ctx, out.answer.Access); err == nil && !works {
		out.failed = &fault{code: api.ProviderMalformed, detail: "the provider's own API does not take the token that it has just given"}
	}
}
