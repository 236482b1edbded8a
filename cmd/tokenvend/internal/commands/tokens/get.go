package tokens

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
)

type get struct {
	command.Program
	request
	format command.Choice
	json   bool
}

func newGet(p command.Program) *cobra.Command {
	g := &get{Program: p, format: command.Choice{Value: formatToken, Allowed: formats}}
	cmd := &cobra.Command{
		Use:   "get NAME",
		Short: "Prints a token of a credential, and nothing else",
		Long: `The formats are:
  token            the bare token
  header           the header line "Authorization: Bearer TOKEN", or the API's own, for curl -H @-
  json             the whole response
  env              a line that sets the variable NAME_TOKEN, for a shell's eval
  exec-credential  an ExecCredential, for the users section of a kubeconfig file
`,
		Example: `tokenvend get minut --format header | curl -H @- https://api.minut.com/v8/users/me
curl -H "Authorization: Bearer $(tokenvend get minut)" https://api.minut.com/v8/users/me
eval "$(tokenvend get minut --format env)"`,
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error { return g.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	g.register(cmd)
	command.AddChoice(cmd, &g.format, "format", "print the token as `FORMAT`: "+command.Alternatives(formats))
	cmd.Flags().BoolVar(&g.json, "json", false, "the same as --format json")
	cmd.MarkFlagsMutuallyExclusive("format", "json")
	cmd.ValidArgsFunction = command.CompleteNames(&g.Flags)
	return cmd
}

func (g *get) run(ctx context.Context, commands hint.Commands, name string) error {
	format := g.format.Value
	if g.json {
		format = formatJSON
	}
	write, err := writerOf(format)
	if err != nil {
		return err
	}
	tokens, err := g.tokens(ctx, commands, []string{name})
	if err != nil {
		return err
	}
	return write(g.Console, name, tokens[0])
}
