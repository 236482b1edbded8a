package credentials

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/api"
)

type list struct {
	command.Program
	connection.Flags
	command.Output
}

func newList(p command.Program) *cobra.Command {
	l := &list{Program: p}
	cmd := &cobra.Command{
		Use:               "ls",
		Aliases:           []string{"list"},
		Short:             "Lists the credentials that you may have",
		Example:           "tokenvend ls\ntokenvend ls --output yaml",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context(), p.Hints(cmd)) },
	}
	l.Flags.Register(cmd.Flags())
	l.Output.Register(cmd)
	return cmd
}

func (l *list) run(ctx context.Context, commands hint.Commands) error {
	caller, err := l.Client(ctx, commands)
	if err != nil {
		return err
	}
	listed, err := caller.List(ctx)
	if err != nil {
		return err
	}
	return l.Print(l.Console, api.Page{Credentials: append([]api.Listed{}, listed...)}, func() error {
		rows := [][]string{{"NAME", "PROVIDER"}}
		for _, one := range listed {
			rows = append(rows, []string{one.Credential, one.Provider})
		}
		return l.Table(rows)
	})
}
