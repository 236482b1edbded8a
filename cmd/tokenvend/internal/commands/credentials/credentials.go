// Package credentials holds the commands that list, add, change and remove
// credentials.
package credentials

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newList(p), newAdd(p), newSet(p), newRemove(p)}
}

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
	place, err := l.Place(ctx, commands)
	if err != nil {
		return err
	}
	caller, err := place.Client()
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
