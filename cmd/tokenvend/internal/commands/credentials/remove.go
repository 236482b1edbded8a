package credentials

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

type remove struct {
	command.Program
	secretstore.Target
	yes bool
}

func newRemove(p command.Program) *cobra.Command {
	r := &remove{Program: p}
	cmd := &cobra.Command{
		Use:   "rm NAME",
		Short: "Revokes a credential's token and removes its secret",
		Long: `It asks first, or takes --yes. The secret of a stack can be restored for 30 days, by the command
that is printed; a file on this machine can't.
`,
		Example: "tokenvend rm minut\ntokenvend rm minut --yes",
		Args:    command.OneName,
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	r.Target.Register(cmd)
	cmd.Flags().BoolVar(&r.yes, "yes", false, "remove it, and do not ask")
	cmd.ValidArgsFunction = command.CompleteNames(&r.Flags)
	return cmd
}

func (r *remove) run(ctx context.Context, commands hint.Commands, name string) error {
	place, store, err := r.Open(ctx, commands)
	if err != nil {
		return err
	}
	if err := store.Find(ctx, name); err != nil {
		return err
	}
	if !r.yes {
		question := "Remove " + store.Describe(name) + ", and revoke the token of " + name + "?"
		if err := r.Confirm(question, "nothing was removed"); err != nil {
			return err
		}
	}
	if err := revoke(ctx, place, name); err != nil {
		text, _ := clierror.Explain(err, commands)
		r.Say("Its token could not be revoked: %s", terminal.Lines(text))
	}
	notice, err := store.Remove(ctx, name)
	if err != nil {
		return err
	}
	r.Say("%s is removed. %s", name, terminal.Lines(notice))
	return nil
}

func revoke(ctx context.Context, place connection.Place, name string) error {
	caller, err := place.Client()
	if err == nil {
		_, err = caller.Revoke(ctx, name)
	}
	return err
}
