package accounts

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// list is the command accounts.
type list struct {
	command.Program
	connection.Flags
	command.Output
}

func newList(p command.Program) *cobra.Command {
	l := &list{Program: p}
	cmd := &cobra.Command{
		Use:   "accounts NAME",
		Short: "Lists the accounts that are connected to a credential, with the state of their tokens",
		Long: `An account has a line for each combination of scope and audience that is kept. connect adds an
account, and revoke --account removes one.
`,
		Example: "tokenvend accounts trackmania\ntokenvend accounts trackmania --output json",
		Args:    command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			return l.run(cmd.Context(), p.Hints(cmd), args[0])
		},
	}
	l.Flags.Register(cmd.Flags())
	l.Output.Register(cmd)
	cmd.ValidArgsFunction = command.CompleteNames(&l.Flags)
	return cmd
}

func (l *list) run(ctx context.Context, commands hint.Commands, name string) error {
	caller, err := l.Client(ctx, commands)
	if err != nil {
		return err
	}
	all, err := caller.Accounts(ctx, name)
	if err != nil {
		return err
	}
	if all == nil {
		all = []api.StatusReport{}
	}
	return l.Print(l.Console, map[string]any{"accounts": all}, func() error {
		if len(all) == 0 {
			l.Say("%s has no connected account.", name)
		}
		return report.AccountTable(l.Console, all, commands)
	})
}
