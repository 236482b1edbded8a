package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// trial is a first token by a secret that was just created.
type trial struct {
	console
	place   place
	vault   vault
	name    string
	version string // of the secret
}

// run has a first token vended. A secret that is refused for good is taken away again: nobody has used it.
func (t trial) run(ctx context.Context) error {
	at, err := t.place.client()
	if _, ok := errors.AsType[noServer](err); ok {
		t.Say("%s is written, and was not tried: no server runs here. tokenvend serve starts one.", t.name)
		return nil
	}
	if err != nil {
		return err
	}
	first, err := t.firstToken(ctx, at)
	if isRefused(err) {
		return t.takeBack(ctx, err)
	}
	t.tell(first, err)
	return nil
}

func (t trial) takeBack(ctx context.Context, refused error) error {
	if err := t.vault.discard(ctx, t.name); err != nil {
		return errors.Join(refused, err)
	}
	return fmt.Errorf("%s was not added, and its secret is taken away again: %w", t.name, refused)
}

// tell says what became of a secret that stays.
func (t trial) tell(first api.Token, err error) {
	if err == nil {
		t.Say("%s works: a token with the fingerprint %s, for another %v.",
			t.name, first.Fingerprint, time.Duration(first.ExpiresIn))
		return
	}
	text, _ := explain(err)
	if errors.Is(err, errNotSeen) {
		text = fmt.Sprintf("the answers are still by what was known before. tokenvend status %s tells later.%s", t.name, t.hint())
	}
	t.Say("%s is written (%s), but could not be tried: %s", t.name, t.vault.where(t.name), terminal.Lines(text))
}

// hint is what else may keep a stack from seeing a secret.
func (t trial) hint() string {
	if t.place.data != "" {
		return ""
	}
	return ` If it goes on, the stack has another prefix or region, or "allow" leaves you out.`
}

// isRefused says whether it is the secret that an error is about, for good. What keeps its owner from asking says nothing of it, nor does a grant that is yet to come.
func isRefused(err error) bool {
	e, ok := errors.AsType[*api.Error](err)
	return ok && (e.Code == api.ProviderRejected || e.Code == api.Misconfigured)
}

// How long answers may go on by what was known of a name before: that there was none, and how an earlier secret failed.
const (
	absenceLasts = 8 * time.Second  // to operators
	unseenLasts  = 75 * time.Second // over an API, which learns of a new credential by a pass of rotate
	failureLasts = 75 * time.Second
	glance       = time.Second
)

// errNotSeen: nobody has looked at the secret yet.
var errNotSeen = errors.New("the secret has not been seen yet")

// firstToken asks for a token until the answer is about the new secret.
func (t trial) firstToken(ctx context.Context, at *remote) (api.Token, error) {
	began := time.Now()
	for told := false; ; told = true {
		first, err := at.Token(ctx, t.name)
		lasts := t.outdated(ctx, at, err)
		if lasts == 0 {
			return first, err
		}
		if time.Since(began) > lasts {
			return first, errNotSeen
		}
		if !told {
			t.Say("The answer is still by what was known of %s before; waiting for another.", t.name)
			_, _ = at.Revoke(ctx, t.name) // there is no token yet; to forget it has the secret read anew
		}
		select {
		case <-time.After(glance):
		case <-ctx.Done():
			return first, ctx.Err()
		}
	}
}

// outdated says how long an error that is about an earlier secret may go on; 0: it is about this one.
func (t trial) outdated(ctx context.Context, at *remote, err error) time.Duration {
	e, ok := errors.AsType[*api.Error](err)
	switch {
	case !ok:
		return 0
	case e.Code == api.UnknownCredential && t.place.url != "":
		return unseenLasts
	case e.Code == api.UnknownCredential:
		return absenceLasts
	}
	report, err := at.Status(ctx, t.name)
	if err == nil && report.Failure != nil && report.Version != t.version {
		return failureLasts
	}
	return 0
}
