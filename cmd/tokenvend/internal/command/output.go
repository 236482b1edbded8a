package command

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

// Choice is the value of a flag that takes one of some words.
type Choice struct {
	Value   string
	Allowed []string
}

// String implements pflag.Value.
func (c *Choice) String() string { return c.Value }

// Type implements pflag.Value.
func (c *Choice) Type() string { return "string" }

// Set implements pflag.Value.
func (c *Choice) Set(value string) error {
	if !slices.Contains(c.Allowed, value) {
		return clierror.Expected("expected %s", Alternatives(c.Allowed))
	}
	c.Value = value
	return nil
}

// Alternatives returns "a, b or c".
func Alternatives(words []string) string {
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// AddChoice adds a flag that takes one of some words, with their completion.
func AddChoice(cmd *cobra.Command, c *Choice, name, usage string) {
	cmd.Flags().Var(c, name, usage)
	complete := cobra.FixedCompletions(c.Allowed, cobra.ShellCompDirectiveNoFileComp)
	// It fails for a flag that does not exist.
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err)
	}
}

// The formats of data.
const (
	table = "table"
	json  = "json"
	yaml  = "yaml"
)

// Output is how a command prints its data.
type Output struct {
	format Choice
	json   bool
}

// Register adds the flags to a command.
func (o *Output) Register(cmd *cobra.Command) {
	o.format = Choice{table, []string{table, json, yaml}}
	AddChoice(cmd, &o.format, "output", "print data as `FORMAT`: table, json or yaml")
	cmd.Flags().BoolVar(&o.json, "json", false, "the same as --output json")
	cmd.MarkFlagsMutuallyExclusive("output", "json")
}

// AsTable reports whether data is printed for reading.
func (o Output) AsTable() bool { return !o.json && o.format.Value == table }

// Print prints data in the format that was chosen. asTable prints it for
// reading.
func (o Output) Print(c terminal.Console, data any, asTable func() error) error {
	switch {
	case o.json || o.format.Value == json:
		return c.JSON(data)
	case o.format.Value == yaml:
		return c.YAML(data)
	}
	return asTable()
}
