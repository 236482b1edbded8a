package credentials

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// trial obtains a first token by a secret that was just created.
type trial struct {
	command.Program
	place   connection.Place
	store   secretstore.Store
	name    string // of the credential
	shown   string // the name in messages
	version string // of the secret
}

// How long a response may be based on what was known of a name before: that
// there was none, and how an earlier secret failed.
const (
	absenceLasts = 8 * time.Second  // to operators
	unseenLasts  = 75 * time.Second // over an API, which learns of a new credential from a discovery of rotate
	failureLasts = 75 * time.Second
	pollInterval = time.Second
)

// renewedLasts is how long a refusal may be repeated that the status does not
// show: a renewal has ended it in between, or it is one that is not recorded.
const renewedLasts = 3 * time.Second

// cleanupTimeout bounds the removal of a trial's secret.
const cleanupTimeout = 35 * time.Second

// errNotSeen reports that tokenvend has not read the secret yet.
var errNotSeen = errors.New("the secret has not been read yet")

// token obtains a token until the response is based on the new secret.
func (t trial) token(ctx context.Context) (api.Token, error) {
	caller, err := t.place.Client()
	if err != nil {
		return api.Token{}, err
	}
	began := time.Now()
	for first := true; ; first = false {
		token, err := caller.Token(ctx, t.name)
		lasts := t.outdated(ctx, caller, err)
		if lasts == 0 {
			return token, err
		}
		if time.Since(began) > lasts {
			if lasts == renewedLasts {
				return token, err
			}
			return token, errNotSeen
		}
		if first && lasts != renewedLasts {
			t.Say("The answer is still by what was known of %s before; waiting for another.", t.shown)
			_, _ = caller.Revoke(ctx, t.name) // there is no token yet; this has the secret read again
		}
		select {
		case <-time.After(pollInterval):
		case <-ctx.Done():
			return token, ctx.Err()
		}
	}
}

// outdated returns how long an error that is based on an earlier secret may
// last; 0 for one that is based on this one.
func (t trial) outdated(ctx context.Context, caller *connection.Client, err error) time.Duration {
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		return 0
	case e.Code == api.UnknownCredential && t.place.URL != "":
		return unseenLasts
	case e.Code == api.UnknownCredential:
		return absenceLasts
	}
	report, statusErr := caller.Status(ctx, t.name)
	switch {
	case statusErr != nil:
		return 0
	case report.Failure == nil && isRefused(err):
		return renewedLasts
	case report.Failure != nil && report.Version != t.version:
		return failureLasts
	}
	return 0
}

// isRefused reports whether an error is about the secret itself and lasts. What
// keeps the operator from a token says nothing about the secret, and neither
// does a grant that is yet to be given.
func isRefused(err error) bool {
	e, ok := errors.AsType[*api.Error](err)
	return ok && (e.Code == api.ProviderRejected || e.Code == api.Misconfigured)
}

// isNoServer reports whether no server runs on this machine.
func isNoServer(err error) bool {
	_, ok := errors.AsType[*connection.NoServerError](err)
	return ok
}

// works describes a token that a trial has obtained.
func works(token api.Token) string {
	return fmt.Sprintf("works: a token with the fingerprint %s, for another %v.",
		token.Fingerprint, time.Duration(token.ExpiresIn).Truncate(time.Second))
}

// reason explains why a secret could not be tried.
func (t trial) reason(err error) string {
	if !errors.Is(err, errNotSeen) {
		text, _ := clierror.Explain(err, t.place.Commands)
		return text
	}
	text := "the answers are still by what was known before. " + t.place.Commands.Line(
		"status",
		t.shown,
	) + " shows it later."
	if !t.place.IsLocal() {
		text += ` If it goes on, the stack has another prefix or region, or "allow" leaves you out.`
	}
	return text
}
