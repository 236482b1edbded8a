// Package accounts holds the commands that connect the accounts of users, and
// keep their grants.
package accounts

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newConnect(p), newAccept(p), newRecover(p)}
}

// target holds the flags of a command about one grant.
type target struct {
	connection.Flags
	command.Variant
	command.Output
}

func (t *target) register(cmd *cobra.Command) {
	t.Flags.Register(cmd.Flags())
	t.Variant.Register(cmd.Flags())
	t.Output.Register(cmd)
	cmd.ValidArgsFunction = command.CompleteNames(&t.Flags)
}

func client(ctx context.Context, at connection.Flags, commands hint.Commands) (*connection.Client, error) {
	place, err := at.Place(ctx, commands)
	if err != nil {
		return nil, err
	}
	return place.Client()
}
