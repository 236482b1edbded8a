package mint

import (
	"context"
	"errors"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// outcome is what one attempt brought.
type outcome struct {
	own      *known         // the credential's row as it stands by now
	grant    provider.Grant // the last that was tried
	answer   provider.Answer
	failed   *fault         // nil: the answer holds a token
	refresh  refreshAttempt // the refresh token at hand, and what became of it
	answered time.Time      // when the last answer had arrived
}

// attempt brings a new token into being under a lease, or commits why it could not: either way all who wait learn of it.
func (m *Mint) attempt(ctx context.Context, lease store.Lease, v view, w Want) (view, error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	began := time.Now()
	out := m.ask(ctx, v, lease, w.Insist)
	next := *v.entry.with(lease.Entry)
	if !w.Ahead {
		next.entry.AskedAt = wall()
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
	out := m.prepare(ctx, v)
	out.refresh.mayBeUsed = v.entry.entry.RefreshSpent || lease.Attempt > 1 // where the attempt ends here, that must not be forgotten
	if out.failed != nil {
		return out
	}
	v = m.viewOf(out.own, v.entry)
	c, _ := m.secrets.get(out.own.terms.Name)
	out.refresh = v.refreshAttempt(c, lease, insist)
	if out.refresh.waits && !insist {
		_ = sleep(ctx, v.accessEnd().Sub(wall())) // at most holdWait
	}
	firstTime := v.failure().IsZero()
	for _, ask := range v.asks(out.refresh) {
		out = m.exchange(ctx, out, ask, firstTime)
		if out.failed == nil || out.failed.client || out.failed.code != api.ProviderRejected {
			break
		}
	}
	if out.failed == nil && out.grant != "" {
		m.prove(ctx, c, &out)
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
	out.own = own
	switch {
	case err != nil:
		out.failed = faultOf(err)
	case own.descriptor == nil:
		out.failed = &fault{code: api.Misconfigured, detail: "provider: expected one of the catalogue's", permanent: true, client: true}
	}
	return out
}

// exchange makes one request, lending the secret's other versions where the provider does not know the client.
func (m *Mint) exchange(ctx context.Context, out outcome, ask provider.Ask, firstTime bool) outcome {
	c, _ := m.secrets.get(out.own.terms.Name)
	var err error
	for l := range m.lenders(ctx, c, firstTime) {
		out.answer, err = out.own.descriptor.Exchange(ctx, m.HTTP, l.client, ask)
		if l.fresh != nil {
			out.own, _ = m.adopt(ctx, out.own, *l.fresh)
		}
		if !unknownClient(err) {
			break
		}
	}
	out.grant, out.failed, out.answered = ask.Grant, nil, wall()
	if err != nil {
		out.failed = faultOf(err)
	}
	if ask.Grant == provider.RefreshToken && out.answer.Refresh.IsZero() { // one that has been replaced is of no more interest
		out.refresh.sent(err)
	}
	return out
}

// prove has a new token proven where the descriptor asks for it. What can't be asked now is not held against the token.
func (m *Mint) prove(ctx context.Context, c credential.Credential, out *outcome) {
	d := out.own.descriptor
	if !d.VerifiesMinted() {
		return
	}
	if works, err := d.VerifyToken(ctx, m.HTTP, c.Client, out.answer.Access); err == nil && !works {
		out.failed = &fault{code: api.ProviderMalformed, detail: "the provider's own API does not take the token that it has just given"}
	}
}
