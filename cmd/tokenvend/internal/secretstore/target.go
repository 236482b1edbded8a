package secretstore

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
)

// Target holds the flags that name the place of secrets.
type Target struct {
	connection.Flags
	prefix string
}

// Register adds the flags to a command.
func (t *Target) Register(cmd *cobra.Command) {
	t.Flags.Register(cmd.Flags())
	RegisterPrefix(cmd, &t.prefix)
}

// RegisterPrefix adds the flag --prefix to a command.
func RegisterPrefix(cmd *cobra.Command, prefix *string) {
	cmd.Flags().StringVar(prefix, "prefix", "", "what the names of a stack's secrets begin with, its parameter "+
		"SecretPrefix, "+
		"as `PREFIX`; else "+EnvPrefix+", else "+DefaultPrefix)
}

// Open returns the place and its secrets.
func (t *Target) Open(ctx context.Context, commands hint.Commands) (connection.Place, Store, error) {
	place, err := t.Place(ctx, commands)
	if err != nil {
		return place, nil, err
	}
	store, err := Open(place, t.prefix)
	return place, store, err
}
