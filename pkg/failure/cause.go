// Package failure classifies errors: why an attempt brought no token, whom that
// concerns, and what callers learn of it.
package failure

import (
	"errors"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/schedule"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
)

// Cause is why an attempt brought no token, and whom it concerns.
type Cause struct {
	Code      api.Code
	Detail    string
	Permanent bool      // only a change helps
	Client    bool      // every variant of the credential would fail alike
	Limited   bool      // the provider asked the whole client to pause
	Until     time.Time // no request before; zero: the provider named no time
	Outage    bool      // the provider's host does not work
	Answered  bool      // the provider's host works, because it refused in words
	HeldUntil time.Time // the refresh token is sent again then and not by back-off; zero: by back-off

	// Intermediary reports that something before the provider may have caused
	// it: see [provider.Error].
	Intermediary bool
	// Redeemed reports that what was sent is spent: see [provider.Error].
	Redeemed bool

	Err error // what a back end answered; for the log
}

// Of classifies an error of an attempt.
func Of(err error) *Cause {
	var answered *provider.Error
	var malformed *credential.Malformed
	var known *api.Error
	switch {
	case errors.As(err, &answered):
		return ofProvider(answered)
	case errors.As(err, &malformed):
		return &Cause{Code: api.Misconfigured, Detail: malformed.Error(), Permanent: true, Client: true}
	case errors.As(err, &known):
		return &Cause{Code: known.Code, Detail: known.Detail, Err: known.Cause}
	case errors.Is(err, credential.ErrUnknown):
		return &Cause{Code: api.SecretUnavailable, Detail: "the secret is not there any more"}
	case errors.Is(err, seal.ErrUnavailable):
		return &Cause{Code: api.SealUnavailable, Detail: sealDetail, Err: err}
	}
	return &Cause{Code: api.SecretUnavailable, Detail: secretDetail, Err: err}
}

// OfExchange classifies the error of one exchange with a grant type.
//
// A refusal concerns the whole client if it needed nothing else, or if
// the provider names the client. Any other refusal of a grant, a plain 401
// included, may concern that grant alone. It must not delay others. Neither
// must what an intermediary may have answered.
func OfExchange(err error, g descriptor.Grant) *Cause {
	c := Of(err)
	var answered *provider.Error
	if errors.As(err, &answered) && answered.Kind == provider.Rejected && !g.IsDirect() {
		c.Client = c.Client && namesClient(answered.Code)
	}
	c.Client = c.Client && !c.Intermediary
	return c
}

// namesClient reports whether an OAuth error is about the client itself
// (RFC 6749 §5.2).
func namesClient(code string) bool {
	return code == "invalid_client" || code == "unauthorized_client"
}

// OfWorkingGrant returns the cause as it counts for a grant that has obtained
// tokens before. What an intermediary may have caused is an outage then, and so
// is a rate limit without a time.
func (c Cause) OfWorkingGrant() *Cause {
	if c.Intermediary {
		c.Code, c.Permanent, c.Client, c.Answered = api.ProviderUnavailable, false, false, false
		c.Limited = !c.Until.IsZero()
	}
	c.Outage = c.Outage || (c.Intermediary || c.Limited) && c.Until.IsZero()
	return &c
}

// MayBeOutage reports whether a stored failure may be an outage of the
// provider's host.
func MayBeOutage(f store.Failure) bool {
	return f.Code == string(api.ProviderUnavailable) || f.Code == string(api.ProviderMalformed)
}

// IsUnknownClient reports whether an exchange failed because the provider
// refused this client authentication.
func IsUnknownClient(err error) bool {
	var e *provider.Error
	return errors.As(err, &e) && e.Kind == provider.Rejected && e.Client && e.Permanent && !e.Redeemed
}

// GrantEnded returns the cause of a grant that has ended.
func GrantEnded(detail string) *Cause {
	return &Cause{Code: api.ReauthorizationRequired, Detail: detail, Permanent: true}
}

func ofProvider(e *provider.Error) *Cause {
	c := &Cause{
		Detail:    strings.TrimPrefix(e.Error(), "provider: "),
		Permanent: e.Permanent,
		Client:    e.Client,
		Until:     e.Limit.RetryAt,

		Intermediary: e.Intermediary,
		Redeemed:     e.Redeemed,
	}
	switch e.Kind {
	case provider.Malformed:
		c.Code, c.Outage = api.ProviderMalformed, true
	case provider.Rejected:
		c.Code, c.Answered = api.ProviderRejected, e.Code != ""
	case provider.Unproven:
		c.Code, c.Err = api.SecretUnavailable, e.Cause
	case provider.Misconfigured:
		c.Code, c.Permanent = api.Misconfigured, true
	default:
		c.Code = api.ProviderUnavailable
		c.Limited = e.Client || !c.Until.IsZero()
		c.Outage = !c.Limited
	}
	return c
}

// After returns the failure to store in an entry after this cause: of the
// entry's key and generation, with a version of the secret, at the time now.
func (c *Cause) After(e store.Entry, version string, now time.Time) store.Failure {
	return schedule.Failed(e.Failure, schedule.Attempt{
		Key: e.Key, Generation: e.Generation, Version: version,
		Code: string(c.Code), Detail: c.Detail, Permanent: c.Permanent,
		Until: c.Until, Planned: !c.HeldUntil.IsZero(),
		Refused: c.Code == api.ProviderRejected, TokenEnds: e.ExpiresAt,
	}, now)
}

// APIError returns the cause as the requester of the attempt gets it.
func (c *Cause) APIError(now time.Time) *api.Error { return Until(c.Code, c.Detail, c.Until, now) }
