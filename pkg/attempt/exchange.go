package attempt

import (
	"context"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// request reads the secret and sends the token requests, grant type after grant
// type, within the time that all requests of one mint may take.
func (a *attempt) request(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, schedule.ExchangeTimeout)
	defer cancel()
	a.requestOnce(ctx, a.before)
	if a.changed { // once: if it changes again, the next attempt decides
		a.requestOnce(ctx, records.NewSnapshot(a.record, a.before.Row))
	}
}

// requestOnce is [attempt.request] with one version of the secret, and those
// that may replace it.
func (a *attempt) requestOnce(ctx context.Context, s records.Snapshot) {
	a.prepare(ctx, s)
	if a.failed != nil {
		return
	}
	s = records.NewSnapshot(a.record, s.Row)
	if s.IsHeldBack() {
		a.heldBack = true
		return
	}
	a.refresh = newRefreshAttempt(s, a.client, a.lease, a.ignoreBackoff)
	if a.refresh.waits && !a.ignoreBackoff {
		_ = clock.Sleep(ctx, expiredAtProvider(s).Sub(clock.Now())) // a few seconds at most
	}
	before := s.Failure()
	for _, g := range s.Record.Terms.Strategy(s.Row.Key.Variant).Requests(a.refresh.maySend()) {
		req := provider.TokenRequest{Grant: g}
		if g == descriptor.RefreshToken {
			req.Refresh = a.refresh.token
		}
		a.exchange(ctx, req, before)
		if a.changed || a.failed == nil || a.failed.Client || a.failed.Code != api.ProviderRejected {
			break
		}
		if a.failed.Redeemed { // another response would replace the new refresh token
			break
		}
	}
	if !a.changed {
		a.check(ctx, s)
	}
}

// check finds out whether the response has a usable token, and what a failure
// means for a grant.
func (a *attempt) check(ctx context.Context, s records.Snapshot) {
	if a.failed == nil && provider.HoldsRefreshToken(a.response.Access, s.Row.Refresh, a.client.Refresh) {
		a.response.Access = redact.String{}
		a.failed = &failure.Cause{
			Code: api.ProviderMalformed, Detail: "the access token of the answer holds a refresh token",
		}
	}
	if a.failed == nil && a.grant != "" {
		a.verify(ctx)
	}
	if s.Granted() && (a.failed != nil || a.grant == "") {
		a.failed = a.grantFailure(ctx, s)
	}
}

// prepare begins an outcome: it reads the secret, and makes sure that the
// response can be sealed, because a single-use refresh token would be lost.
func (a *attempt) prepare(ctx context.Context, s records.Snapshot) {
	c, record, err := a.Registry.Credential(ctx, s.Record)
	if err == nil {
		_, err = a.Records.Sealer.Seal(ctx, c.Name, nil, nil)
	}
	a.outcome = outcome{record: record, client: c}
	a.refresh.mayBeUsed = s.Row.RefreshSpent || a.lease.Attempt > 1 // not to be forgotten if the attempt ends here
	switch {
	case err != nil:
		a.failed = failure.Of(err)
	case record.Descriptor == nil:
		a.failed = &failure.Cause{
			Code: api.Misconfigured, Detail: "provider: expected one of the catalogue's", Permanent: true, Client: true,
		}
	}
}

// exchange sends one token request, with other versions of the secret if the
// provider refuses the client. The pending and the previous version are tried
// if the failure before did not concern the client. An outage does not, unless
// an intermediary may have refused the client in it.
func (a *attempt) exchange(ctx context.Context, req provider.TokenRequest, before store.Failure) {
	var err error
	adopt := func(c credential.Credential) {
		before := a.record
		a.record, _ = a.Registry.Adopt(ctx, a.record, c)
		a.changed = a.record.Digests.Destination != before.Digests.Destination ||
			before.LoginMoved(a.record.Row, a.before.Row.Key.Variant)
	}
	others := func() bool {
		return before.IsZero() || failure.MayBeOutage(before) && !failure.Of(err).Intermediary
	}
	for c := range a.Registry.Candidates(ctx, a.client, others, adopt) {
		if a.changed {
			break // what was to be sent may be another account's
		}
		d, unknown := c.ProviderDescriptor()
		if unknown != nil {
			continue
		}
		endpoint := a.endpoint(d, c)
		a.response, err = endpoint.Exchange(ctx, a.scoped(req, c.Terms))
		if !failure.IsUnknownClient(err) {
			a.client = c
			break
		}
	}
	a.grant, a.failed, a.answered = req.Grant, nil, clock.Now()
	if err != nil {
		a.failed = failure.OfExchange(err, req.Grant)
	}
	if req.Grant == descriptor.RefreshToken && a.response.Refresh.IsZero() { // a replaced one does not matter any more
		a.refresh.sent(err)
	}
}

// endpoint returns the endpoint of a provider, for a version of the secret.
func (a *attempt) endpoint(d *descriptor.Descriptor, c credential.Credential) provider.Endpoint {
	return provider.Endpoint{
		HTTP: a.HTTP, Clocks: &a.Clocks, Prover: a.Prover, Descriptor: d, Client: c.Client,
		Sent: func() { a.requests++ },
	}
}

// scoped returns a request with the scope and the audience of a version of the
// secret.
func (a *attempt) scoped(req provider.TokenRequest, terms credential.Terms) provider.TokenRequest {
	variant := a.before.Row.Key.Variant
	if terms.Strategy(variant).SendsScope(req.Grant) {
		req.Scope, req.Audience = terms.ScopeAndAudience(variant)
	}
	return req
}

// verify has a new token verified if the descriptor asks for it, at the
// provider of the version of the secret that obtained it. A token whose
// verification fails for another reason is kept.
func (a *attempt) verify(ctx context.Context) {
	d, err := a.client.ProviderDescriptor()
	if err != nil || !d.VerifiesMinted() {
		return
	}
	if works, err := a.endpoint(d, a.client).VerifyToken(ctx, a.response.Access); err == nil && !works {
		a.failed = &failure.Cause{
			Code:   api.ProviderMalformed,
			Detail: "the provider's own API does not take the token that it has just given",
		}
	}
}
