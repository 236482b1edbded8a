package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"text/tabwriter"
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
		helpAll(c.out)
		return exitOK
	}
	cmd, ok := find(args[0])
	if !ok {
		c.say("tokenvend: there is no such command%s: tokenvend help lists them", near(args[0]))
		return exitUsage
	}
	cmd.help(c.out)
	return exitOK
}

const exitCodes = "Exit codes: 0 ok, 1 failed, 2 not understood, 3 no such credential, 4 refused for good.\n"

func helpAll(w io.Writer) {
	_, _ = fmt.Fprint(w, "tokenvend hands out short-lived OAuth 2.0 access tokens.\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, cmd := range commands() {
		_, _ = fmt.Fprintf(t, "  tokenvend %s\t%s\n", strings.TrimSpace(cmd.name+" "+cmd.args), cmd.does)
	}
	_ = t.Flush()
	_, _ = fmt.Fprint(w, "\ntokenvend help COMMAND says more. Flags may stand before or after a name.\n"+
		"They all talk to the server on this machine, or to a stack: by --url or --function, else "+envURL+" or "+envFunction+".\n"+exitCodes)
}

func (cmd command) help(w io.Writer) {
	_, _ = fmt.Fprintf(w, "tokenvend %s\n\n%s.\n%s", strings.TrimSpace(cmd.name+" "+cmd.args+" [flags]"), cmd.does, cmd.more)
	set := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	cmd.make().flags(set)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	first := "\n"
	set.VisitAll(func(f *flag.Flag) {
		_, _ = fmt.Fprint(t, first+flagLine(f))
		first = ""
	})
	_ = t.Flush()
	if cmd.example != "" {
		_, _ = fmt.Fprintf(w, "\nExample:\n  %s\n", strings.ReplaceAll(cmd.example, "\n", "\n  "))
	}
}

func flagLine(f *flag.Flag) string {
	value, text := flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0s" {
		text += " (" + f.DefValue + ")"
	}
	return fmt.Sprintf("  --%s\t%s\n", strings.TrimSpace(f.Name+" "+value), text)
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
	_, err := fmt.Fprintln(c.out, strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " "))
	return err
}
