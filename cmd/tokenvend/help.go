package main

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

func find(name string) (command, bool) {
	all := commands()
	i := slices.IndexFunc(all, func(cmd command) bool { return cmd.name == name })
	if i < 0 {
		return command{}, false
	}
	return all[i], true
}

// near suggests the commands that a name may have been meant for.
func near(name string) string {
	for _, cmd := range commands() {
		if name != "" && (strings.HasPrefix(cmd.name, name) || strings.HasPrefix(name, cmd.name) || sorted(cmd.name) == sorted(name)) {
			return " (" + cmd.name + "?)"
		}
	}
	return ""
}

func sorted(s string) string { return string(slices.Sorted(slices.Values([]byte(s)))) }

// help is the command help.
func help(c console, args []string) int {
	if len(args) == 0 {
		c.Help(true, helpAll())
		return exitOK
	}
	cmd, ok := find(args[0])
	if !ok {
		c.Fail("there is no such command" + near(args[0]) + ": tokenvend help lists them")
		return exitUsage
	}
	c.Help(true, cmd.help())
	return exitOK
}

const exitCodes = "Exit codes: 0 ok, 1 failed, 2 not understood, 3 no such credential, 4 refused for good.\n"

func helpAll() string {
	var rows [][]string
	for _, cmd := range commands() {
		rows = append(rows, []string{"  tokenvend " + strings.TrimSpace(cmd.name+" "+cmd.args), cmd.does})
	}
	return "tokenvend hands out short-lived OAuth 2.0 access tokens.\n\n" + terminal.Columns(rows) +
		"\ntokenvend help COMMAND says more. Flags may stand before or after a name.\n" +
		"They all talk to the server on this machine, or to a stack: by --url or --function, " +
		"else " + envURL + " or " + envFunction + ".\n" + exitCodes
}

func (cmd command) help() string {
	var rows [][]string
	set := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	cmd.make().flags(set)
	set.VisitAll(func(f *flag.Flag) { rows = append(rows, flagRow(f)) })
	usage := strings.TrimSpace(cmd.name + " " + cmd.args + " [flags]")
	text := fmt.Sprintf("tokenvend %s\n\n%s.\n%s", usage, cmd.does, cmd.more)
	if len(rows) > 0 {
		text += "\n" + terminal.Columns(rows)
	}
	if cmd.example != "" {
		text += "\nExample:\n  " + strings.ReplaceAll(cmd.example, "\n", "\n  ") + "\n"
	}
	return text
}

func flagRow(f *flag.Flag) []string {
	value, text := flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
		text += " (" + f.DefValue + ")"
	}
	return []string{"  --" + strings.TrimSpace(f.Name+" "+value), text}
}

var versionCommand = command{name: "version", does: "Says which version this is", make: func() action { return version{} }}

type version struct{}

func (version) flags(*flag.FlagSet) {}

func (version) run(_ context.Context, c console, args []string) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	parts := []string{"tokenvend", info.Main.Version, info.GoVersion}
	return c.Printf("%s\n", strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " "))
}
