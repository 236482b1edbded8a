package tokens

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/api"
)

type renew struct {
	command.Program
	command.Target
}

func newRenew(p command.Program) *cobra.Command {
	r := &renew{Program: p}
	cmd := &cobra.Command{
		Use:   "renew NAME",
		Short: "Replaces a credential's token now, and prints the old and the new fingerprint",
		Long: `The provider is asked for another token, as if an API had refused the one in use. A token younger
than 30 seconds is not replaced; over --url, one that the provider still takes is not either. Where
that is refused because earlier attempts failed, or because a grant counts as ended, the provider is
asked all the same, once; that takes an operator's right, the one that connect takes.
`,
		Example: "tokenvend renew minut",
		Args:    command.OneName,
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	r.Register(cmd)
	return cmd
}

// renewal is what renew prints.
type renewal struct {
	Old string `json:"old,omitempty"` // "": there was no token
	New string `json:"new"`
}

func (r *renew) run(ctx context.Context, commands hint.Commands, name string) error {
	caller, err := r.Client(ctx, commands)
	if err != nil {
		return err
	}
	before, err := caller.Status(ctx, name, r.Options()...)
	if err != nil {
		return err
	}
	t, err := caller.Reject(ctx, name, before.Fingerprint, r.Options()...)
	if e, ok := errors.AsType[*api.Error](err); ok && mayIgnoreBackoff(e.Code) {
		var after api.StatusReport
		after, err = caller.Renew(ctx, name, r.Options()...)
		t.Fingerprint = after.Fingerprint
	}
	if e, ok := errors.AsType[*api.Error](err); ok && e.Code == api.TooManyReports {
		return fmt.Errorf("%s: nothing was done, since %s: try again in %v", name, e.Detail, e.RetryAfter)
	}
	if err != nil {
		return err
	}
	return r.Print(r.Console, renewal{before.Fingerprint, t.Fingerprint}, func() error {
		return r.Printf("old %s\nnew %s\n", cmp.Or(before.Fingerprint, "none"), t.Fingerprint)
	})
}

// mayIgnoreBackoff reports whether an operator may have the provider asked
// although an attempt was refused, or failed, with this code.
func mayIgnoreBackoff(code api.Code) bool {
	return code == api.ReauthorizationRequired || code == api.ProviderUnavailable ||
		code == api.ProviderRejected || code == api.ProviderMalformed
}

type revoke struct {
	command.Program
	command.Target
}

func newRevoke(p command.Program) *cobra.Command {
	r := &revoke{Program: p}
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Revokes a credential's token, and forgets it",
		Long: `Where the provider can revoke, it is told to; where it can't be reached, the token is vended no
more, and rotate tells the provider later. The next caller gets another token; rm ends that too. A
user's grant is over, until tokenvend connect. Instances that hold the token in their memory read
the store within a minute: until the time that is printed ("memory_until" in JSON) one of them may
still vend it.
`,
		Example: "tokenvend revoke minut",
		Args:    command.OneName,
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	r.Register(cmd)
	return cmd
}

func (r *revoke) run(ctx context.Context, commands hint.Commands, name string) error {
	caller, err := r.Client(ctx, commands)
	if err != nil {
		return err
	}
	forgotten, err := caller.Revoke(ctx, name, r.Options()...)
	if err != nil {
		return err
	}
	return r.Print(r.Console, forgotten, func() error {
		how := "forgotten, but not revoked at the provider"
		if forgotten.Revoked {
			how = "revoked at the provider, and forgotten"
		}
		return r.Printf("%s: %s; an instance that holds it in memory may hand it out until %s\n",
			name, how, forgotten.MemoryUntil.Local().Format("15:04:05"))
	})
}
