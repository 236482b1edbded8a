// Package credentials holds the commands that list, add, change and remove
// credentials.
package credentials

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newList(p), newAdd(p), newSet(p), newRemove(p)}
}

// target holds the flags that name the place of a secret.
type target struct {
	connection.Flags
	prefix string
}

func (t *target) register(cmd *cobra.Command) {
	t.Flags.Register(cmd.Flags())
	RegisterPrefix(cmd, &t.prefix)
}

// RegisterPrefix adds the flag --prefix to a command.
func RegisterPrefix(cmd *cobra.Command, prefix *string) {
	cmd.Flags().StringVar(prefix, "prefix", "", "what the names of a stack's secrets begin with, its parameter SecretPrefix, "+
		"as `PREFIX`; else "+secretstore.EnvPrefix+", else "+secretstore.DefaultPrefix)
}

func (t *target) open(ctx context.Context, commands hint.Commands) (connection.Place, secretstore.Store, error) {
	place, err := t.Place(ctx, commands)
	if err != nil {
		return place, nil, err
	}
	store, err := secretstore.Open(place, t.prefix)
	return place, store, err
}
