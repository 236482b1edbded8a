// Package doctor holds the command that checks a setup and reports what is
// wrong with it.
package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/permissions"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command { return []*cobra.Command{newDoctor(p)} }

type doctor struct {
	command.Program
	connection.Flags
	command.Output
	prefix    string
	operators string
}

func newDoctor(p command.Program) *cobra.Command {
	d := &doctor{Program: p}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Checks a setup and reports what is wrong with it",
		Long: `On a stack it reads the function, its aliases and policies, IAM, the secrets and the tokens' states;
on this machine the data folder and the server. It changes nothing.
Every grant that reaches the alias api, the alias admin or the bare function is a warning, except
that of the stack's API on api, and those of --operators on admin.
Name the function with --function, and the stack's API with --url, so that another API is told from
it.
What may not be read is reported, and is no failure. It exits with 1 where a check failed; a warning
is none.
`,
		Example: "tokenvend doctor --function tokenvend-VendFunction-1A2B3C --operators " +
			"arn:aws:iam::123456789012:role/ops",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return d.run(cmd.Context(), p.Hints(cmd)) },
	}
	d.Flags.Register(cmd.Flags())
	d.Output.Register(cmd)
	secretstore.RegisterPrefix(cmd, &d.prefix)
	cmd.Flags().StringVar(&d.operators, "operators", "",
		"the `ARNS` of roles and users that are meant to invoke the alias admin, separated by commas")
	return cmd
}

func (d *doctor) run(ctx context.Context, commands hint.Commands) error {
	s := setup{List: checks.List{Commands: commands}}
	at, err := d.expectations(&s)
	if err != nil {
		return err
	}
	place, err := at.Place(ctx, commands)
	if err != nil {
		return err
	}
	s.Region = place.AWS.Region
	if place.IsLocal() {
		s.machine(ctx, place)
	} else if err := s.stack(ctx, place, d.prefix); err != nil {
		return err
	}
	if err := d.print(s.List); err != nil {
		return err
	}
	if n := s.Count(checks.Failed); n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(s.All))
	}
	return nil
}

// expectations reads who is meant to have what, and returns where requests go.
// Beside --function, --url names the stack's API and not where requests go.
func (d *doctor) expectations(s *setup) (at connection.Flags, err error) {
	at = d.Flags
	if s.expected.Operators, err = permissions.ParseOperators(d.operators); err != nil {
		return at, err
	}
	s.expected.API = connection.ParseAPI(d.URL).ID
	if d.URL != "" && d.Function != "" {
		if s.expected.API == "" {
			return at, clierror.Usage("--url beside --function: expected the stack's output ApiUrl, " +
				"https://ID.execute-api.REGION.amazonaws.com")
		}
		at.URL = ""
	}
	return at, nil
}

var colors = map[string]terminal.Color{
	string(checks.Fine):    terminal.Green,
	string(checks.Warning): terminal.Yellow,
	string(checks.Failed):  terminal.Red,
}

func (d *doctor) print(list checks.List) error {
	data := map[string]any{
		"checks": list.All, "failed": list.Count(checks.Failed), "warnings": list.Count(checks.Warning),
	}
	return d.Print(d.Console, data, func() error {
		var rows [][]string
		for _, one := range list.All {
			line := strings.Join(strings.Fields(one.Finding), " ")
			if one.Advice != "" {
				line += "; " + one.Advice
			}
			rows = append(rows, []string{string(one.Grade), one.Subject, line})
		}
		return d.GradedTable(rows, 0, func(grade string) terminal.Color { return colors[grade] })
	})
}
