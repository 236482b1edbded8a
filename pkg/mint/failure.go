package mint

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// fault is why an attempt brought no token, and whom it concerns.
type fault struct {
	code      api.Code
	detail    string
	permanent bool      // only a change helps
	client    bool      // every variant of the credential would fail alike
	limited   bool      // the provider asked all to pause
	until     time.Time // no request before; zero: nothing was said
	outage    bool      // the provider's host does not work
	answered  bool      // the provider's host works, for it has refused in words
	hold      time.Time // the refresh token is sent again then and not by back-off; zero: by back-off

	// intermediary reports that something before the provider may have caused
	// it: see [provider.Error].
	intermediary bool

	cause error // what a back end answered; for the log
}

// ofWorkingGrant returns the fault as it counts for a grant that has brought
// tokens before. What an intermediary may have caused is an outage then, and so
// is a rate limit without a time.
func (f fault) ofWorkingGrant() *fault {
	if f.intermediary {
		f.code, f.permanent, f.client, f.answered = api.ProviderUnavailable, false, false, false
		f.limited = !f.until.IsZero()
	}
	f.outage = f.outage || (f.intermediary || f.limited) && f.until.IsZero()
	return &f
}

// faultOf judges an error of an attempt.
func faultOf(err error) *fault {
	var said *provider.Error
	var bad *credential.Malformed
	var known *api.Error
	switch {
	case errors.As(err, &said):
		return providerFault(said)
	case errors.As(err, &bad):
		return &fault{code: api.Misconfigured, detail: bad.Error(), permanent: true, client: true}
	case errors.As(err, &known):
		return &fault{code: known.Code, detail: known.Detail, cause: known.Cause}
	case errors.Is(err, credential.ErrUnknown):
		return &fault{code: api.SecretUnavailable, detail: "the secret is not there any more"}
	case errors.Is(err, seal.ErrUnavailable):
		return &fault{code: api.SealUnavailable, detail: "the sealing key can't be used now", cause: err}
	}
	return &fault{code: api.SecretUnavailable, detail: "the secret can't be read now", cause: err}
}

func providerFault(e *provider.Error) *fault {
	f := &fault{detail: strings.TrimPrefix(e.Error(), "provider: "), permanent: e.Permanent, client: e.Client, until: e.Limit.RetryAt, intermediary: e.Intermediary}
	switch e.Kind {
	case provider.Malformed:
		f.code, f.outage = api.ProviderMalformed, true
	case provider.Rejected:
		f.code, f.answered = api.ProviderRejected, e.Code != ""
	case provider.Misconfigured:
		f.code, f.permanent = api.Misconfigured, true
	default:
		f.code = api.ProviderUnavailable
		f.limited = e.Client || !f.until.IsZero()
		f.outage = !f.limited
	}
	return f
}

// after is the failure that stands once f has happened on top of old.
func (f *fault) after(old store.Failure, key token.Key, generation int64, version string, now time.Time) store.Failure {
	next := store.Failure{Code: string(f.code), Detail: f.detail, Since: now, Count: 1, Version: version}
	if !old.IsZero() && old.Version == version {
		next.Since = old.Since
		if !f.permanent || old.Code == next.Code {
			next.Count = old.Count + 1
		}
	}
	wait := permanentWait(next.Count)
	if !f.permanent {
		wait = backoff(key, generation, next.Count)
	}
	if !f.hold.IsZero() {
		wait, next.Count = shortestWait, 1 // a time that is known is not a failure in a row
	}
	next.RetryAt = later(now.Add(wait), earlier(f.until, now.Add(longestCooldown))).Truncate(time.Millisecond)
	return next
}

// share writes what concerns the client as a whole into the credential's own row: its failure, or the pause that the provider asked for, which lasts as long as that of the entry that met it.
func (m *Mint) share(ctx context.Context, own *known, f *fault, met store.Failure) *known {
	return m.settle(ctx, own, func(e *store.Entry) {
		switch {
		case f.limited:
			pause := met.RetryAt
			if f.outage { // nobody has named a time
				pause = earlier(pause, wall().Add(probeEvery))
			}
			e.CooldownUntil = later(e.CooldownUntil, pause)
		case f.client:
			e.Failure = f.after(e.Failure, e.Key, 0, own.terms.Version, wall())
		}
	})
}

// clear drops the shared failure after a success, and notes a pause that came with it.
func (m *Mint) clear(ctx context.Context, own *known, limit provider.RateLimit) *known {
	until := earlier(limit.RetryAt, wall().Add(longestCooldown)).Truncate(time.Millisecond)
	if own.entry.Failure.IsZero() && !until.After(own.entry.CooldownUntil) {
		return own
	}
	return m.settle(ctx, own, func(e *store.Entry) {
		e.Failure = store.Failure{}
		e.CooldownUntil = later(e.CooldownUntil, until)
	})
}

// mostSettling bounds how often a change of a credential's own row is tried against other writers.
const mostSettling = 4

// settle changes a credential's own row. Where that can't be done the row stays as it is: each entry has its own failure besides, so nothing is lost but the sharing.
func (m *Mint) settle(ctx context.Context, own *known, change func(*store.Entry)) *known {
	for range mostSettling {
		next := *own.row
		change(&next.entry)
		stands, err := m.replaceOwn(ctx, own.entry, next)
		if err == nil {
			return stands
		}
		if !errors.Is(err, store.ErrChanged) || stands.broken {
			return own
		}
		own = stands
	}
	return own
}

// keptFailure is the shared failure, unless it belongs to another version of the secret.
func (k *known) keptFailure(version string) store.Failure {
	if k.entry.Failure.Version == version {
		return k.entry.Failure
	}
	return store.Failure{}
}
