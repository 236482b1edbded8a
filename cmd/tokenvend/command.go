package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/credential"
)

// console is where a command reads and writes.
type console = terminal.Console

// command is one thing that the program can do.
type command struct {
	name, args string // args: as in the usage line
	does       string // one line for the list
	more       string // what there is to know besides; "": nothing
	example    string
	make       func() action
}

// action is a command with its flags.
type action interface {
	flags(f *flag.FlagSet)
	run(ctx context.Context, c console, args []string) error
}

// usageError is a command line that is not understood. It shows no argument: one may be a secret.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// run runs the program and returns its exit code.
func run(ctx context.Context, c console, args []string) int {
	if len(args) == 0 {
		c.Help(false, helpAll())
		return exitUsage
	}
	if slices.Contains([]string{"help", "-h", "-help", "--help"}, args[0]) {
		return help(c, args[1:])
	}
	cmd, ok := find(args[0])
	if !ok {
		c.Fail("there is no such command" + near(args[0]) + ": tokenvend help lists them")
		return exitUsage
	}
	return cmd.run(ctx, c, args[1:])
}

func (cmd command) run(ctx context.Context, c console, args []string) int {
	act := cmd.make()
	set := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	act.flags(set)
	rest, err := parse(set, args)
	if errors.Is(err, flag.ErrHelp) {
		c.Help(true, cmd.help())
		return exitOK
	}
	if err != nil {
		err = flagError(err)
	} else {
		err = act.run(ctx, c, rest)
	}
	if err == nil {
		return exitOK
	}
	text, code := explain(err)
	if code == exitUsage {
		text += ": see tokenvend help " + cmd.name
	}
	c.Fail(text)
	return code
}

// parse takes flags from before, between and after the arguments, up to a "--".
func parse(set *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		left := set.Args()
		if read := len(args) - len(left); read > 0 && args[read-1] == "--" {
			return append(rest, left...), nil
		}
		if len(left) == 0 {
			return rest, nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// flagError is an error of package flag in our words, without the value: it may be a secret.
func flagError(err error) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		if strings.Contains(name, "secret") {
			return usage("no secret is ever taken from the command line, where others can read it: it is asked for, or read from standard input")
		}
		return usage("there is no flag --%s", name)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return usage("--%s needs a value", name)
	}
	if _, rest, ok := strings.Cut(text, " for flag -"); ok {
		name, _, _ := strings.Cut(rest, ":")
		return usage("--%s: that value is not understood", name)
	}
	return usage("the flags are not understood")
}

// oneName takes the name of a credential, as the one argument.
func oneName(args []string) (string, error) {
	if len(args) != 1 {
		return "", usage("expected the name of one credential")
	}
	return args[0], checkName(args[0])
}

func checkName(name string) error {
	if !credential.ValidName(name) {
		return usage("expected a credential's name: a lower-case letter or digit, then at most 62 more, _ or -")
	}
	return nil
}

func noArguments(args []string) error {
	if len(args) != 0 {
		return usage("expected no argument")
	}
	return nil
}
