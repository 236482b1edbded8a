package callers

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/iampolicy"
)

type grants struct {
	command.Program
	connection.Flags
	command.Output
}

func newGrants(p command.Program) *cobra.Command {
	g := &grants{Program: p}
	cmd := &cobra.Command{
		Use:   "grants",
		Short: "Lists who may invoke a stack's function for which credential",
		Long: `It lists the aliases c-NAME of the function, and whom the policy of each lets invoke it. An alias
without such a principal can be invoked by those whom an IAM policy of the account allows: doctor
looks at these.
`,
		Example:           "tokenvend grants --function tokenvend-VendFunction-1A2B3C",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return g.run(cmd.Context(), p.Hints(cmd)) },
	}
	g.Flags.Register(cmd.Flags())
	g.Output.Register(cmd)
	return cmd
}

// granted is one principal of an alias; none: "".
type granted struct {
	Credential string `json:"credential"`
	Alias      string `json:"alias"`
	Principal  string `json:"principal,omitempty"`
	Statement  string `json:"statement,omitempty"`
}

func (g *grants) run(ctx context.Context, commands hint.Commands) error {
	place, err := g.Place(ctx, commands)
	if err != nil {
		return err
	}
	f, err := openFunction(ctx, place)
	if err != nil {
		return err
	}
	all, err := f.granted(ctx)
	if err != nil {
		return err
	}
	return g.Print(g.Console, map[string]any{"grants": all}, func() error {
		rows := [][]string{{"NAME", "ALIAS", "PRINCIPAL", "STATEMENT"}}
		for _, one := range all {
			rows = append(rows, []string{
				one.Credential, one.Alias, cmp.Or(one.Principal, "-"), cmp.Or(one.Statement, "-"),
			})
		}
		return g.Table(rows)
	})
}

// granted lists the aliases of credentials with their principals.
func (f *function) granted(ctx context.Context) ([]granted, error) {
	all := []granted{}
	pages := lambda.NewListAliasesPaginator(f.lambda, &lambda.ListAliasesInput{FunctionName: &f.name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, clierror.AWS("lambda:ListAliases", f.name, err)
		}
		for _, alias := range page.Aliases {
			of, err := f.grantedBy(ctx, aws.ToString(alias.Name))
			if err != nil {
				return nil, err
			}
			all = append(all, of...)
		}
	}
	slices.SortFunc(all, func(a, b granted) int {
		return cmp.Or(strings.Compare(a.Alias, b.Alias), strings.Compare(a.Principal, b.Principal))
	})
	return all, nil
}

// grantedBy returns the principals of an alias; none if it is no credential's.
func (f *function) grantedBy(ctx context.Context, alias string) (all []granted, err error) {
	name, ok := iampolicy.CredentialOf(alias)
	if !ok {
		return nil, nil
	}
	permissions, err := f.permissions(ctx, alias)
	if err != nil {
		return nil, err
	}
	for _, s := range permissions {
		all = append(all, granted{name, alias, s.Who(), s.Sid})
	}
	if len(all) == 0 {
		all = []granted{{Credential: name, Alias: alias}}
	}
	return all, nil
}
