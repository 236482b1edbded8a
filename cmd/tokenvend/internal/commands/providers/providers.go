// Package providers holds the commands about the catalogue of providers and
// about descriptors. None of them stores anything.
package providers

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
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

// completeProviders completes the name of a provider, as the only argument.
func completeProviders(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return catalog.Names(), cobra.ShellCompDirectiveNoFileComp
}

// entry is a provider as the list has it.
type entry struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Grants  []string `json:"grants"`
	Asks    []string `json:"asks_for"`           // fields of the secret
	Assumed bool     `json:"assumed"`            // it was not compared with the vendor's page
	Checked string   `json:"compared,omitempty"` // the day on which it was
}

func newEntry(d *descriptor.Descriptor, questions []secretinput.Question) entry {
	e := entry{Name: d.Name, Title: d.Title, Asks: []string{}, Assumed: d.Checked == descriptor.NotRead}
	if !e.Assumed {
		e.Checked = d.Checked
	}
	for _, g := range d.AllGrants() {
		e.Grants = append(e.Grants, g.Short())
	}
	for _, q := range questions {
		if !q.Optional {
			e.Asks = append(e.Asks, q.Field)
		}
	}
	return e
}

// matches reports whether the name or the title has a text, in lower case.
func (e entry) matches(text string) bool {
	return strings.Contains(e.Name, text) || strings.Contains(strings.ToLower(e.Title), text)
}

// compared describes how far the entry can be relied on.
func (e entry) compared() string {
	if e.Assumed {
		return "assumed"
	}
	return "compared on " + e.Checked
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

// entries returns the whole catalogue.
func entries() ([]entry, error) {
	var all []entry
	for _, name := range catalog.Names() {
		d, err := catalog.Get(name)
		if err != nil {
			return nil, err
		}
		all = append(all, newEntry(d, secretinput.Questions(d, catalog.Source(name), "", "")))
	}
	return all, nil
}
