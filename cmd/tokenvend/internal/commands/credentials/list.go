package credentials

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// list is the command ls.
type list struct {
	command.Program
	connection.Flags
	command.Output
	sort     command.Choice
	state    command.Choice
	provider string
	names    bool
}

func newList(p command.Program) *cobra.Command {
	l := &list{Program: p}
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "Lists the credentials that you may have, with the state of their tokens",
		Long: `The state, the expiry and the next renewal are those of each credential's default token. Each takes
a request of its own: --names makes none.
`,
		Example:           "tokenvend ls\ntokenvend ls --sort expires\ntokenvend ls --state failing --output json",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context(), p.Hints(cmd)) },
	}
	l.Flags.Register(cmd.Flags())
	l.Output.Register(cmd)
	l.sort = command.Choice{Value: "name", Allowed: []string{"name", "provider", "state", "expires", "renews"}}
	command.AddChoice(cmd, &l.sort, "sort", "sort by `COLUMN`: name, provider, state, expires or renews")
	l.state = command.Choice{Allowed: []string{
		string(api.Fresh), string(api.Stale), string(api.Failing), string(api.Reauthorize), string(api.Revoking),
		string(api.DestinationChanged), string(api.Idle), string(api.None),
	}}
	command.AddChoice(cmd, &l.state, "state", "only tokens in this `STATE`, such as failing")
	cmd.Flags().StringVar(&l.provider, "provider", "", "only credentials of this `PROVIDER`")
	cmd.Flags().BoolVar(&l.names, "names", false, "only names and providers")
	cmd.MarkFlagsMutuallyExclusive("names", "state")
	return cmd
}

// listed is a credential as ls writes it for programs.
type listed struct {
	api.Listed
	State     api.State `json:"state,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	NextAt    time.Time `json:"next_at,omitzero"`
}

func (l *list) run(ctx context.Context, commands hint.Commands) error {
	caller, err := l.Client(ctx, commands)
	if err != nil {
		return err
	}
	all, err := caller.List(ctx)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(one api.Listed) bool { return l.provider != "" && one.Provider != l.provider })
	if l.names {
		return l.print(l.sorted(named(all)), func(results []report.Result) error {
			rows := [][]string{{"NAME", "PROVIDER"}}
			for _, r := range results {
				rows = append(rows, []string{r.Name, r.Status.Provider})
			}
			return l.Table(rows)
		})
	}
	return l.print(l.sorted(l.filtered(statuses(ctx, caller, all))), func(results []report.Result) error {
		return report.Table(l.Console, results, commands, time.Now())
	})
}

// named returns the credentials as results without a status.
func named(all []api.Listed) (results []report.Result) {
	for _, one := range all {
		results = append(results, report.Result{
			Name: one.Credential, Status: api.StatusReport{Credential: one.Credential, Provider: one.Provider},
		})
	}
	return results
}

// statuses returns the credentials with the status of each.
func statuses(ctx context.Context, caller *connection.Client, all []api.Listed) []report.Result {
	var names []string
	for _, one := range all {
		names = append(names, one.Credential)
	}
	results := report.Statuses(ctx, caller, names)
	for i, one := range all {
		results[i].Status.Provider = one.Provider
	}
	return results
}

func (l *list) filtered(results []report.Result) []report.Result {
	return slices.DeleteFunc(results, func(r report.Result) bool {
		return l.state.Value != "" && string(r.Status.State) != l.state.Value
	})
}

// sorted sorts results by the column that was chosen, then by name. A time that
// is not known comes last.
func (l *list) sorted(results []report.Result) []report.Result {
	slices.SortStableFunc(results, func(a, b report.Result) int {
		order := 0
		switch l.sort.Value {
		case "provider":
			order = cmp.Compare(a.Status.Provider, b.Status.Provider)
		case "state":
			order = cmp.Compare(a.Status.State, b.Status.State)
		case "expires":
			order = compareTimes(a.Status.ExpiresAt, b.Status.ExpiresAt)
		case "renews":
			order = compareTimes(a.Status.NextAt, b.Status.NextAt)
		}
		return cmp.Or(order, cmp.Compare(a.Name, b.Name))
	})
	return results
}

func compareTimes(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// print prints results in the format that was chosen.
func (l *list) print(results []report.Result, asTable func([]report.Result) error) error {
	page := struct {
		Credentials []listed `json:"credentials"`
	}{[]listed{}}
	for _, r := range results {
		page.Credentials = append(page.Credentials, listed{
			api.Listed{Credential: r.Name, Provider: r.Status.Provider}, r.Status.State, r.Status.ExpiresAt,
			r.Status.NextAt,
		})
	}
	return l.Print(l.Console, page, func() error { return asTable(results) })
}
