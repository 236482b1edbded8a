package providers

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

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

// completeProviders completes the name of a provider, as the only argument.
func completeProviders(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return catalog.Names(), cobra.ShellCompDirectiveNoFileComp
}
