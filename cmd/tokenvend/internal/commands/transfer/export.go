package transfer

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
)

type exporting struct {
	command.Program
	secretstore.Target
}

func newExport(p command.Program) *cobra.Command {
	e := &exporting{Program: p}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Writes all credentials without their secrets, as a JSON list",
		Long: `It writes what import reads: for each credential its name and the fields of its secret that are no
secret. What it leaves out, such as client_secret, private_key, secrets and params, is listed in
omitted. Tokens and grants stay where they are.
`,
		Example:           "tokenvend export --function tokenvend-VendFunction-abc >credentials.json",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return e.run(cmd.Context(), p.Hints(cmd)) },
	}
	e.Target.Register(cmd)
	return cmd
}

func (e *exporting) run(ctx context.Context, commands hint.Commands) error {
	_, store, err := e.Open(ctx, commands)
	if err != nil {
		return err
	}
	names, err := store.List(ctx)
	if err != nil {
		return err
	}
	list := []secretinput.Fields{}
	for _, name := range names {
		text, err := store.Read(ctx, name)
		if err != nil {
			return err
		}
		fields, ok := secretinput.ReadFields(text)
		if !ok {
			e.Say("%s was left out: its secret is no JSON object.", name)
			continue
		}
		list = append(list, public(name, fields))
	}
	return e.JSON(list)
}
