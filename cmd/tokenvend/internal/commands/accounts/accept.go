package accounts

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

type accept struct {
	command.Program
	command.Target
	yes bool
}

func newAccept(p command.Program) *cobra.Command {
	a := &accept{Program: p}
	cmd := &cobra.Command{
		Use:   "accept NAME",
		Short: "Lets grants go on at endpoints that the secret names now",
		Long: `A grant belongs to the endpoints, the client and the response fields that it was given at. When the
secret names others, the grant is kept and sent nowhere. This shows every part that changed, and
asks; then the grants of all accounts of the credential go on at the new endpoints, which receive
their refresh tokens.
`,
		Example: "tokenvend accept trackmania --account alice",
		Args:    command.OneName,
		RunE:    func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	a.Register(cmd)
	cmd.Flags().BoolVar(&a.yes, "yes", false, "accept what changed, and do not ask")
	return cmd
}

func (a *accept) run(ctx context.Context, commands hint.Commands, name string) error {
	caller, err := a.Client(ctx, commands)
	if err != nil {
		return err
	}
	status, err := caller.Status(ctx, name, a.Options()...)
	if err != nil {
		return err
	}
	if status.State != api.DestinationChanged {
		a.Say("%s: there is nothing to accept: its state is %s.", name, status.State)
		return report.Print(a.Console, a.Output, status, commands)
	}
	if err := a.agreed(name, status); err != nil {
		return err
	}
	if status, err = caller.Accept(ctx, name, status.Destination, a.Options()...); err != nil {
		return err
	}
	a.Say("%s: accepted. Its grants go on at the next renewal, or with the next request.", name)
	return report.Print(a.Console, a.Output, status, commands)
}

// agreed shows what changed and asks; nil means yes.
func (a *accept) agreed(name string, status api.StatusReport) error {
	rows := [][]string{{"PART", "WAS", "IS NOW"}}
	for _, change := range status.Changes {
		rows = append(rows, []string{change.Part, change.Old, change.New})
	}
	a.Say("%s: the refresh tokens of its grants were received at another destination. What changed:", name)
	a.Text(terminal.Columns(rows))
	if a.yes {
		return nil
	}
	return a.Confirm("Send them there from now on?", "nothing was accepted")
}
