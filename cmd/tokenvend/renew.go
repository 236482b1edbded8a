package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/tokenvend/tokenvend/pkg/api"
)

var renewCommand = command{
	name: "renew", args: "NAME", does: "Replaces a credential's token now, and prints the old and the new fingerprint",
	more: `The provider is asked for another token, as if an API had refused the one in use. A token younger than 30 seconds is
not replaced; over --url, one that the provider still takes is not either. Where that is refused because earlier attempts
failed, or because a grant counts as over, it is asked all the same, once; that takes an operator's right, the one that
connect takes.
`,
	example: "tokenvend renew minut",
	make:    func() action { return &renew{} },
}

type renew struct{ target }

// renewal is what renew prints.
type renewal struct {
	Old string `json:"old,omitempty"` // "": there was no token
	New string `json:"new"`
}

func (r *renew) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	at, err := r.client(ctx)
	if err != nil {
		return err
	}
	report, err := at.Status(ctx, name, r.options()...)
	if err != nil {
		return err
	}
	t, err := at.Reject(ctx, name, report.Fingerprint, r.options()...)
	if e, ok := errors.AsType[*api.Error](err); ok && insistHelps(e.Code) {
		var kept api.StatusReport
		kept, err = at.Renew(ctx, name, r.options()...)
		t.Fingerprint = kept.Fingerprint
	}
	if e, ok := errors.AsType[*api.Error](err); ok && e.Code == api.TooManyReports {
		return fmt.Errorf("%s: nothing was done, since %s: try again in %v", name, e.Detail, e.RetryAfter)
	}
	if err != nil {
		return err
	}
	if r.json {
		return c.JSON(renewal{report.Fingerprint, t.Fingerprint})
	}
	return c.Printf("old %s\nnew %s\n", cmp.Or(report.Fingerprint, "none"), t.Fingerprint)
}

// insistHelps reports whether an operator may have an attempt made that was
// not made, or failed, for this reason.
func insistHelps(code api.Code) bool {
	return code == api.ReauthorizationRequired || code == api.ProviderUnavailable || code == api.ProviderRejected || code == api.ProviderMalformed
}

var revokeCommand = command{
	name: "revoke", args: "NAME", does: "Has a credential's token revoked and forgotten", example: "tokenvend revoke minut",
	more: `Where the provider can revoke, it is told to; where it can't be reached, the token is handed out no more, and rotate tells it later.
The next one who asks gets another token; to end that, too, use rm. A person's grant is over, until tokenvend connect.
Instances that hold the token in their memory look into the store within a minute: until the time that is told
("memory_until" in JSON) one of them may still hand it out.
`,
	make: func() action { return &revoke{} },
}

type revoke struct{ target }

func (r *revoke) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	at, err := r.client(ctx)
	if err != nil {
		return err
	}
	forgotten, err := at.Revoke(ctx, name, r.options()...)
	if err != nil {
		return err
	}
	if r.json {
		return c.JSON(forgotten)
	}
	how := "forgotten, but not revoked at the provider"
	if forgotten.Revoked {
		how = "revoked at the provider, and forgotten"
	}
	return c.Printf("%s: %s; an instance that holds it in memory may hand it out until %s\n",
		name, how, forgotten.MemoryUntil.Local().Format("15:04:05"))
}
