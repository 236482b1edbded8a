package tokens

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// request holds the flags of a request for tokens.
type request struct {
	connection.Flags
	command.Variant
	command.MinTTL
}

func (r *request) register(cmd *cobra.Command) {
	r.Flags.Register(cmd.Flags())
	r.Variant.Register(cmd.Flags())
	r.MinTTL.Register(cmd.Flags())
}

// tokens obtains a token of each credential.
func (r *request) tokens(ctx context.Context, commands hint.Commands, names []string) ([]api.Token, error) {
	minTTL, err := r.MinTTL.Option()
	if err != nil {
		return nil, err
	}
	caller, err := r.Client(ctx, commands)
	if err != nil {
		return nil, err
	}
	var tokens []api.Token
	for _, name := range names {
		t, err := caller.Token(ctx, name, append(r.Options(), minTTL)...)
		if err == nil {
			err = terminal.CheckToken(t.AccessToken)
		}
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
	}
	return tokens, nil
}
