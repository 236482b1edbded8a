package cli

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// errNoCommand reports a command line without a command.
var errNoCommand = errors.New("no command")

// unknownCommand returns the error of a command that does not exist. It does
// not quote the word, which may be a secret.
func unknownCommand(p command.Program, parent *cobra.Command, word string) error {
	return clierror.Usage("there is no such command%s: %s help lists them",
		suggestion(parent.SuggestionsFor(word), ""), p.Name)
}

// suggestion returns the words that a misspelt one may have been meant for.
func suggestion(words []string, prefix string) string {
	if len(words) == 0 {
		return ""
	}
	return " (" + prefix + strings.Join(words, " or "+prefix) + "?)"
}

// flagError returns the error of a flag in our words, without its value: it may
// be a secret.
func flagError(cmd *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.NotExistError](err); ok {
		return unknownFlag(cmd, e)
	}
	if e, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return clierror.Usage("--%s needs a value", e.GetFlag().Name)
	}
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		if expected, ok := errors.AsType[*clierror.ExpectedError](err); ok {
			return clierror.Usage("--%s: %v", e.GetFlag().Name, expected)
		}
		return clierror.Usage("--%s: that value is not understood", e.GetFlag().Name)
	}
	return clierror.Usage("the flags are not understood")
}

func unknownFlag(cmd *cobra.Command, e *pflag.NotExistError) error {
	name := e.GetSpecifiedName()
	switch {
	case strings.Contains(name, "secret"):
		return clierror.Usage("no secret is ever taken from the command line, where others can read it: " +
			"it is asked for, or read from standard input or a file")
	case e.GetSpecifiedShortnames() != "":
		return clierror.Usage("there is no flag -%s; the names of flags stand after two hyphens", name)
	}
	return clierror.Usage("there is no flag --%s%s", name, suggestion(similarFlags(cmd, name), "--"))
}

// similarFlags returns the flags that a misspelt one may have been meant for,
// by cobra's own suggestions for commands.
func similarFlags(cmd *cobra.Command, name string) []string {
	flags := &cobra.Command{SuggestionsMinimumDistance: 2}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
	})
	return flags.SuggestionsFor(name)
}

// unquoted replaces cobra's errors that are about the command line.
func unquoted(err error) error {
	if group, ok := strings.CutPrefix(err.Error(), "if any flags in the group ["); ok {
		group, _, _ = strings.Cut(group, "]")
		return clierror.Usage("expected one of --%s", strings.Join(strings.Fields(group), " and --"))
	}
	return err
}
