// Package providers holds the commands about the catalogue of providers and
// about descriptors. None of them stores anything.
package providers

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newProviders(p), newDescriptor(p), newProbe(p)}
}

// list is the command providers.
type list struct {
	command.Program
	command.Output
}

func newProviders(p command.Program) *cobra.Command {
	l := &list{Program: p}
	cmd := &cobra.Command{
		Use:   "providers [SEARCH]",
		Short: "Lists the providers of the catalogue, or shows one",
		Long: `SEARCH is a part of a name or a title. The last column says on which day the entry was compared with
the vendor's page. An assumed entry was not: the first token shows whether it is right.
`,
		Example: "tokenvend providers\ntokenvend providers google\ntokenvend providers show zoom",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return clierror.Usage("expected one text to search for, or show and the name of a provider")
			}
			return nil
		},
		ValidArgsFunction: completeProviders,
		RunE: func(_ *cobra.Command, args []string) error {
			return l.run(strings.ToLower(strings.Join(args, "")))
		},
	}
	l.Register(cmd)
	cmd.AddCommand(newShow(p))
	return cmd
}

func (l *list) run(search string) error {
	all, err := entries()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(e entry) bool { return !e.matches(search) })
	if len(all) == 0 {
		return &clierror.NotFoundError{Text: "no provider of the catalogue has that in its name or title: " +
			"a descriptor describes any other (--descriptor-file of the command add)"}
	}
	return l.Print(l.Console, map[string][]entry{"providers": all}, func() error {
		rows := [][]string{{"NAME", "TITLE", "GRANTS", "ASKS FOR", "SOURCE"}}
		for _, e := range all {
			rows = append(rows, []string{
				e.Name, e.Title, strings.Join(e.Grants, ", "), strings.Join(e.Asks, ", "), e.compared(),
			})
		}
		return l.Table(rows)
	})
}
