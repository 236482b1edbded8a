package tokens

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// status is the command status.
type status struct {
	command.Program
	command.Target
	verify, all bool
}

func newStatus(p command.Program) *cobra.Command {
	s := &status{Program: p}
	cmd := &cobra.Command{
		Use:   "status NAME…",
		Short: "Prints the status of credentials' tokens, without the tokens",
		Long: `Of one credential it prints everything, of several a line each. It exits with 1 where callers get no
token, because something has failed or you have to act.
`,
		Example: "tokenvend status minut\ntokenvend status --all",
		Args: func(_ *cobra.Command, args []string) error {
			if s.all != (len(args) == 0) {
				return clierror.Usage("expected the names of credentials, or --all")
			}
			return checkNames(args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.run(cmd.Context(), p.Hints(cmd), args) },
	}
	s.Register(cmd)
	cmd.ValidArgsFunction = completeAllNames(&s.Flags)
	cmd.Flags().BoolVar(&s.all, "all", false, "all credentials that you may have")
	cmd.Flags().BoolVar(&s.verify, "verify", false, "ask the provider whether it takes the token; for one credential")
	return cmd
}

func checkNames(names []string) error {
	for _, name := range names {
		if err := command.CheckName(name); err != nil {
			return err
		}
	}
	return nil
}

// completeAllNames completes any number of names.
func completeAllNames(at *connection.Flags) cobra.CompletionFunc {
	complete := command.CompleteNames(at)
	return func(cmd *cobra.Command, _ []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return complete(cmd, nil, word)
	}
}

func (s *status) run(ctx context.Context, commands hint.Commands, names []string) error {
	if s.verify && len(names) != 1 {
		return clierror.Usage("--verify: expected the name of one credential")
	}
	caller, err := s.Client(ctx, commands)
	if err != nil {
		return err
	}
	if len(names) == 1 {
		return s.one(ctx, caller, commands, names[0])
	}
	if s.all {
		if names, err = report.AllNames(ctx, caller); err != nil {
			return err
		}
	}
	results := report.Statuses(ctx, caller, names, s.Options()...)
	if err := s.several(results, commands); err != nil {
		return err
	}
	return report.Wrong(results)
}

// one prints everything about one token.
func (s *status) one(ctx context.Context, caller *connection.Client, commands hint.Commands, name string) error {
	r, err := s.report(ctx, caller, name)
	if err != nil {
		return err
	}
	if err := report.Print(s.Console, s.Output, r, commands); err != nil {
		return err
	}
	return report.Wrong([]report.Result{{Name: name, Status: r}})
}

func (s *status) report(ctx context.Context, caller *connection.Client, name string) (api.StatusReport, error) {
	if !s.verify {
		return caller.Status(ctx, name, s.Options()...)
	}
	r, err := verified(ctx, caller, name, s.Options())
	if err == nil && r.Verified == nil {
		s.Say("%s: there is no token to verify.", name)
	}
	return r, err
}

// several prints a line for each token. For programs it prints the reports, and
// says on the error output what could not be read.
func (s *status) several(results []report.Result, commands hint.Commands) error {
	reports := []api.StatusReport{}
	for _, r := range results {
		if r.Err == nil {
			reports = append(reports, r.Status)
		}
	}
	err := s.Print(s.Console, map[string]any{"tokens": reports}, func() error {
		return report.Table(s.Console, results, commands, time.Now())
	})
	for _, r := range results {
		if r.Err != nil && err == nil && !s.AsTable() {
			text, _ := clierror.Explain(r.Err, commands)
			s.Say("%s: %s", r.Name, text)
		}
	}
	return err
}
