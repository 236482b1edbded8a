package attempt

import (
	"context"
	"net/url"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/clock"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/leases"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/redact"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// Code is an authorization response, and what proves that it belongs to the
// request of whoever sends it.
type Code struct {
	Code        redact.String
	Verifier    redact.String // the code verifier; zero: no code challenge was sent
	RedirectURI string        // that of the authorization request
	Destination string        // the digest of the destination that the user was sent to; "": not known
	Response    url.Values    // further parameters of the authorization response; nil: none
}

// Redeem exchanges an authorization code under the key's lease, and replaces
// the key's grant. If the provider refuses the code, the entry stays as it was.
// refreshing reports whether the provider returned a refresh token. Errors are
// of type *api.Error. A ctx that ends stops the waiting for the lease and not
// an exchange that was sent.
func (t *Attempts) Redeem(ctx context.Context, key token.Key, code Code) (refreshing bool, err error) {
	lease, s, err := leases.Acquire(ctx, t.Records, key)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leases.Timeout)
	defer cancel()
	a := &attempt{Attempts: t, lease: lease, before: s, began: time.Now()}
	a.redeem(ctx, code)
	if a.failed != nil && a.response.Refresh.IsZero() {
		err := leases.Release(ctx, t.Records.Store, lease)
		a.log(ctx, lease.Entry, err)
		return false, a.failed.APIError(clock.Now())
	}
	next := s.Row.With(lease.Entry)
	next.AskedAt = clock.Now()
	if _, err := a.conclude(ctx, &next); err != nil {
		return false, failure.API(err)
	}
	if a.failed != nil {
		return false, a.failed.APIError(clock.Now())
	}
	return !next.Refresh.IsZero(), nil
}

// redeem sends the token request of an authorization code.
func (a *attempt) redeem(ctx context.Context, code Code) {
	ctx, cancel := context.WithTimeout(ctx, schedule.ExchangeTimeout)
	defer cancel()
	a.prepare(ctx, a.before)
	a.grant = descriptor.AuthorizationCode
	switch {
	case a.failed != nil:
		return
	case code.Destination != "" && code.Destination != a.record.Digests.Destination:
		const detail = "the credential's destination has changed since the account was sent there: connect it again"
		a.failed = &failure.Cause{Code: api.InvalidRequest, Detail: detail}
		return
	case a.before.Row.State == store.Revoking:
		const detail = "the account's last token is being revoked at the provider"
		a.failed = &failure.Cause{Code: api.ProviderUnavailable, Detail: detail, Until: a.before.Row.NextAt}
		return
	}
	a.exchange(ctx, provider.TokenRequest{
		Grant: descriptor.AuthorizationCode, Code: code.Code, Verifier: code.Verifier, RedirectURI: code.RedirectURI,
	}, store.Failure{})
	if a.failed == nil {
		a.verify(ctx)
	}
	a.addParameters(code.Response)
}

// addParameters adds what the descriptor names of the authorization response to
// the further values of the token response, which win.
func (a *attempt) addParameters(response url.Values) {
	if a.record.Descriptor == nil || a.record.Descriptor.Authorize == nil {
		return
	}
	named := token.Extra{}
	for name, parameter := range a.record.Descriptor.Authorize.Extra {
		values := response[parameter]
		if len(values) == 1 && values[0] != "" && !descriptor.HasControl(values[0]) {
			named[name] = redact.New(values[0])
		}
	}
	a.response.Extra = a.response.Extra.WithEarlier(named, func(string) bool { return true })
}
