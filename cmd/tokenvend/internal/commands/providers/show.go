package providers

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
)

// show is the command providers show.
type show struct {
	command.Program
	command.Output
}

func newShow(p command.Program) *cobra.Command {
	s := &show{Program: p}
	cmd := &cobra.Command{
		Use:     "show NAME",
		Short:   "Shows what a provider asks for, how to get credentials, and what else to know",
		Example: "tokenvend providers show zoom\ntokenvend providers show github-app --output json",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return clierror.Usage("expected the name of one provider")
			}
			return nil
		},
		ValidArgsFunction: completeProviders,
		RunE:              func(cmd *cobra.Command, args []string) error { return s.run(p.Hints(cmd), args[0]) },
	}
	s.Register(cmd)
	return cmd
}

// shown is a provider as the command shows it.
type shown struct {
	entry
	Page     string                 `json:"page"`
	Setup    string                 `json:"setup"` // how to get credentials
	Notes    []string               `json:"notes,omitempty"`
	Fields   []secretinput.Question `json:"fields"`
	Example  descriptor.Example     `json:"example"` // the secret of a credential
	Connects bool                   `json:"connects"`
	Revokes  bool                   `json:"revokes"`
	Verifies bool                   `json:"verifies"`
}

func (s *show) run(commands hint.Commands, name string) error {
	if !slices.Contains(catalog.Names(), name) {
		return &clierror.NotFoundError{Text: "there is no such provider in the catalogue: " +
			commands.Line("providers") + " lists them"}
	}
	d, err := catalog.Get(name)
	if err != nil {
		return err
	}
	questions := secretinput.Questions(d, catalog.Source(name), "", "")
	data := shown{
		entry: newEntry(d, questions), Page: d.Docs, Setup: d.Setup, Notes: d.Notes, Fields: questions,
		Example: d.Example, Connects: d.Connects(), Revokes: d.Revokes(), Verifies: d.Verifies(),
	}
	return s.Print(s.Console, data, func() error { return s.page(data, commands) })
}

// page prints a provider for reading.
func (s *show) page(d shown, commands hint.Commands) error {
	example, err := exampleText(d.Example)
	if err != nil {
		return err
	}
	rows := [][]string{
		{"provider", d.Name}, {"title", d.Title}, {"page", d.Page}, {"source", d.compared()},
		{"grants", strings.Join(d.Grants, ", ")}, {"accounts can be connected", yesOrNo(d.Connects)},
		{"tokens can be revoked", yesOrNo(d.Revokes)}, {"tokens can be verified", yesOrNo(d.Verifies)},
	}
	if err := s.Table(rows); err != nil {
		return err
	}
	text := "\nHow to get credentials: " + d.Setup + "\n\nIt asks for\n" + terminal.Columns(fieldRows(d.Fields))
	if len(d.Notes) > 0 {
		text += "\nNotes\n  " + strings.Join(d.Notes, "\n  ") + "\n"
	}
	text += "\nAn example of the secret\n" + example + "\n" + commands.Line("add", "NAME") + " --provider " + d.Name +
		" asks for each field.\n"
	_, err = s.Console.Output().Write([]byte(text))
	return err
}

func fieldRows(questions []secretinput.Question) (rows [][]string) {
	for _, q := range questions {
		rows = append(rows, []string{"  " + q.Field, q.Help, allowed(q)})
	}
	return rows
}

// allowed describes what a field may hold.
func allowed(q secretinput.Question) string {
	var parts []string
	switch {
	case q.Secret:
		parts = append(parts, "a secret")
	case q.File:
		parts = append(parts, "from a PEM file")
	case len(q.Values) > 0:
		parts = append(parts, "one of "+strings.Join(q.Values, ", "))
	case q.Pattern != "":
		parts = append(parts, "matches "+q.Pattern)
	}
	if q.Optional {
		parts = append(parts, "may be left out")
	}
	if q.Default != "" {
		parts = append(parts, q.Default+" by default")
	}
	return strings.Join(parts, "; ")
}

// exampleText returns an example as indented JSON.
func exampleText(e descriptor.Example) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("  ", "  ")
	err := enc.Encode(e)
	return "  " + b.String(), err
}

func yesOrNo(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}
