package cli

import (
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

const about = "tokenvend vends short-lived OAuth 2.0 access tokens.\n"

const where = `Flags may stand before or after a name, except with exec. Commands ask the server on this machine,
or a stack: by --url or --function, else by ` + connection.EnvURL + ` or ` + connection.EnvFunction + `.
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
		b.WriteString(paragraphs(cmd.Long))
	}
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n" + columns(commandRows(cmd, "")))
	}
	if rows := flagRows(cmd.Flags()); len(rows) > 0 {
		b.WriteString("\nFlags:\n" + columns(rows))
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
		b.WriteString("\n" + group.Title + "\n" + columns(commandRows(root, group.ID)))
	}
	b.WriteString("\nOther commands:\n" + columns(commandRows(root, "")))
	b.WriteString("\ntokenvend help COMMAND explains a command. " + where + "\n" + exitCodes())
	return b.String()
}

// helpColumns is the width to which the lists in help texts are wrapped.
const helpColumns = 100

// columns returns rows of a word and its description as text, their columns
// lined up.
func columns(rows [][]string) string {
	widest := 0
	for _, row := range rows {
		widest = max(widest, utf8.RuneCountInString(row[0]))
	}
	var wrapped [][]string
	for _, row := range rows {
		word := row[0]
		for _, line := range wrap(row[1], max(helpColumns-widest-2, helpColumns/3)) {
			wrapped = append(wrapped, []string{word, line})
			word = ""
		}
	}
	return terminal.Columns(wrapped)
}

// paragraphs returns a text whose paragraphs are wrapped. A line that begins
// with spaces is one of a list, and stays as it is.
func paragraphs(text string) string {
	var b, paragraph strings.Builder
	flush := func() {
		if paragraph.Len() > 0 {
			b.WriteString(strings.Join(wrap(paragraph.String(), helpColumns), "\n") + "\n")
		}
		paragraph.Reset()
	}
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		if line == "\n" || strings.HasPrefix(line, "  ") {
			flush()
			b.WriteString(line)
			continue
		}
		paragraph.WriteString(line)
	}
	flush()
	return b.String()
}

// wrap returns the lines of a text, which have a width of columns or one word.
func wrap(text string, columns int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) > columns:
			lines = append(lines, word)
		default:
			*last += " " + word
		}
	}
	return lines
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
