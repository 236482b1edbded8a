// Package cli is the command line of the program: the root command, its help,
// and how errors end it.
package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/accounts"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/callers"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/credentials"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/data"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/providers"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/server"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/tokens"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/transfer"
)

// groups are the groups of commands, in the order of the help.
var groups = [...]struct {
	title    string
	commands func(command.Program) []*cobra.Command
}{
	{"Tokens:", tokens.Commands},
	{"Credentials:", func(p command.Program) []*cobra.Command {
		return append(credentials.Commands(p), transfer.Commands(p)...)
	}},
	{"Providers:", providers.Commands},
	{"Callers:", callers.Commands},
	{"Accounts of users:", accounts.Commands},
	{"Server and setup:", func(p command.Program) []*cobra.Command {
		return slices.Concat(server.Commands(p), doctor.Commands(p), data.Commands(p))
	}},
}

// New returns the root command.
func New(p command.Program) *cobra.Command {
	root := &cobra.Command{
		Use:   "tokenvend",
		Short: "tokenvend vends short-lived OAuth 2.0 access tokens",
		Long:  about,

		Version:       version(p.Version).String(),
		SilenceErrors: true, // Run explains them
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(p, cmd, args[0])
			}
			return errNoCommand
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	for _, group := range groups {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, cmd := range group.commands(p) {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(newVersion(p), newMan())
	root.Args = cobra.ArbitraryArgs // RunE checks them: cobra's own error shows the word
	root.SetIn(p.Input())
	root.SetOut(p.Output())
	root.SetErr(p.ErrorOutput())
	root.SetFlagErrorFunc(flagError)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) { p.Help(true, help(cmd)) })
	root.SetHelpCommand(newHelp(p))
	addCompletion(p, root)
	return root
}

// addCompletion adds cobra's command completion.
func addCompletion(p command.Program, root *cobra.Command) {
	root.InitDefaultCompletionCmd("completion")
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			cmd.Short = "Generates the completion script of a shell"
			cmd.Args = cobra.ArbitraryArgs
			cmd.RunE = func(cmd *cobra.Command, args []string) error {
				if len(args) == 0 {
					p.Help(true, help(cmd))
					return nil
				}
				return clierror.Usage("expected bash, fish, powershell or zsh")
			}
			for _, shell := range cmd.Commands() {
				shell.Args = command.NoArguments
			}
		}
	}
}

// Run runs the program and returns its exit code.
func Run(ctx context.Context, p command.Program, args []string) int {
	root := New(p)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if errors.Is(err, errNoCommand) {
		p.Help(false, help(root))
		return int(clierror.BadUsage)
	}
	if err == nil {
		return int(clierror.OK)
	}
	text, code := clierror.Explain(unquoted(err), p.Hints(cmd))
	if code == clierror.BadUsage && cmd != root && cmd.Name() != "help" && !strings.Contains(text, "\n") {
		text += ": see " + p.Name + " help " + strings.TrimPrefix(cmd.CommandPath(), root.Name()+" ")
	}
	p.Fail(text)
	return int(code)
}
