package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

const about = "tokenvend vends short-lived OAuth 2.0 access tokens.\n"

const where = `Flags may stand before or after a name, except with exec. Commands ask the server on this machine, or a stack:
by --url or --function, else by ` + connection.EnvURL + ` or ` + connection.EnvFunction + `.
`

// newHelp returns the command help.
func newHelp(p command.Program) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explains a command",
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string,
		) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || found == cmd.Root() && len(rest) > 0 {
				return unknownCommand(p, cmd.Root(), args[0])
			}
			found.InitDefaultHelpFlag()
			p.Help(true, help(found))
			return nil
		},
	}
}

func commandNames(parent *cobra.Command) (names []cobra.Completion) {
	for _, cmd := range parent.Commands() {
		if cmd.IsAvailableCommand() {
			names = append(names, cobra.CompletionWithDesc(cmd.Name(), cmd.Short))
		}
	}
	return names
}

// help returns the help text of a command.
func help(cmd *cobra.Command) string {
	if cmd == cmd.Root() {
		return helpAll(cmd)
	}
	var b strings.Builder
	b.WriteString(cmd.UseLine() + "\n\n" + strings.TrimSuffix(cmd.Short, ".") + ".\n")
	if cmd.Long != "" && cmd.Long != cmd.Short {
		b.WriteString(strings.TrimSuffix(cmd.Long, "\n") + "\n")
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n" + terminal.Columns(commandRows(cmd, "")))
	}
	if rows := flagRows(cmd.Flags()); len(rows) > 0 {
		b.WriteString("\nFlags:\n" + terminal.Columns(rows))
	}
	if cmd.Example != "" {
		b.WriteString("\nExamples:\n  " + strings.ReplaceAll(cmd.Example, "\n", "\n  ") + "\n")
	}
	return b.String()
}

func helpAll(root *cobra.Command) string {
	var b strings.Builder
	b.WriteString(about)
	for _, group := range root.Groups() {
		b.WriteString("\n" + group.Title + "\n" + terminal.Columns(commandRows(root, group.ID)))
	}
	b.WriteString("\nOther commands:\n" + terminal.Columns(commandRows(root, "")))
	b.WriteString("\ntokenvend help COMMAND explains a command. " + where + "\n" + exitCodes())
	return b.String()
}

// commandRows describes the commands of a group.
func commandRows(parent *cobra.Command, group string) (rows [][]string) {
	for _, cmd := range parent.Commands() {
		if cmd.GroupID == group && cmd.IsAvailableCommand() {
			line := strings.Replace(strings.TrimSuffix(cmd.UseLine(), " [flags]"), " [flags] ", " ", 1)
			rows = append(rows, []string{"  " + line, cmd.Short})
		}
	}
	return rows
}

func flagRows(flags *pflag.FlagSet) (rows [][]string) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		value, text := pflag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
			text += " (" + f.DefValue + ")"
		}
		rows = append(rows, []string{"  --" + strings.TrimSpace(f.Name+" "+value), text})
	})
	return rows
}

// exitCodes describes the exit codes.
func exitCodes() string { return "Exit codes:\n" + terminal.Columns(indent(clierror.Codes())) }

func indent(rows [][]string) [][]string {
	for _, row := range rows {
		row[0] = "  " + row[0]
	}
	return rows
}
