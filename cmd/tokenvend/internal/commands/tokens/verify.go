package tokens

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/client"
)

type verify struct {
	command.Program
	command.Target
}

func newVerify(p command.Program) *cobra.Command {
	v := &verify{Program: p}
	cmd := &cobra.Command{
		Use:   "verify NAME",
		Short: "Asks the provider whether it takes a credential's token",
		Long: `It exits with 0 where the provider takes the token, with 4 where it does not, with 5 where the provider
has no request for that, and with 1 where there is no token.
`,
		Example: "tokenvend verify movemint",
		Args:    command.OneName,
		RunE:    func(cmd *cobra.Command, args []string) error { return v.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	v.Register(cmd)
	return cmd
}

func (v *verify) run(ctx context.Context, commands hint.Commands, name string) error {
	caller, err := v.Client(ctx, commands)
	if err != nil {
		return err
	}
	r, err := verified(ctx, caller, name, v.Options())
	if err != nil {
		return err
	}
	if r.Verified == nil {
		return errors.New(name + ": there is no token to verify: " + commands.Token("get", name) + " obtains one")
	}
	err = v.Print(v.Console, r, func() error { return v.Printf("%s: %s\n", name, report.Verified(r.Verified)) })
	if err == nil && !r.Verified.Works {
		err = &clierror.RefusedError{Text: "the token is refused: " + commands.Token("renew", name) + " replaces it"}
	}
	return err
}

// verified returns a status with the provider's answer about the token.
func verified(ctx context.Context, caller *connection.Client, name string, options []client.Option,
) (api.StatusReport, error) {
	r, err := caller.Verify(ctx, name, options...)
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Code != api.InvalidRequest {
		return r, err
	}
	// The API refuses wrong parameters with the same code: without the question
	// to the provider they would be refused too.
	if _, plain := caller.Status(ctx, name, options...); plain == nil {
		return r, &clierror.UnsupportedError{Text: name + ": " + e.Detail}
	}
	return r, err
}
