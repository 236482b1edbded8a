package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
)

var getCommand = command{
	name: "get", args: "NAME", does: "Prints a token of a credential, and nothing else",
	example: `curl -H "Authorization: Bearer $(tokenvend get minut)" https://api.minut.com/v8/users/me`,
	make:    func() action { return &get{} },
}

type get struct {
	server
	variant
	floor
	json bool
}

func (g *get) flags(f *flag.FlagSet) {
	g.server.flags(f)
	g.variant.flags(f)
	g.floor.flags(f)
	f.BoolVar(&g.json, "json", false, "print the whole answer as JSON")
}

func (g *get) run(ctx context.Context, c console, args []string) error {
	name, err := oneName(args)
	if err != nil {
		return err
	}
	t, err := g.token(ctx, name)
	if err != nil {
		return err
	}
	if g.json {
		return c.JSON(t)
	}
	return c.Token(t.AccessToken)
}

func (g *get) token(ctx context.Context, name string) (api.Token, error) {
	if g.ttl < 0 {
		return api.Token{}, usage("--min-ttl: expected no negative duration")
	}
	at, err := g.client(ctx)
	if err != nil {
		return api.Token{}, err
	}
	t, err := at.Token(ctx, name, append(g.options(), g.option())...)
	if err != nil {
		return api.Token{}, err
	}
	return t, terminal.CheckToken(t.AccessToken)
}

var execCommand = command{
	name: "exec", args: "NAME -- COMMAND…", does: "Runs a command with a token in its environment, as NAME_TOKEN",
	more: "In the variable's name letters are capitals, and - is _. One that is set already is replaced.\n" +
		"The token is not renewed while the command runs.\n",
	example: "tokenvend exec minut -- sh -c 'curl -H \"Authorization: Bearer $MINUT_TOKEN\" https://api.minut.com/v8/users/me'",
	make:    func() action { return &execute{} },
}

type execute struct{ get get }

func (e *execute) flags(f *flag.FlagSet) {
	e.get.server.flags(f)
	e.get.variant.flags(f)
	e.get.floor.flags(f)
}

// run gives the process away to the command: signals, terminal and exit code are its own.
func (e *execute) run(ctx context.Context, _ console, args []string) error {
	if len(args) < 2 {
		return usage("expected NAME -- COMMAND")
	}
	if err := checkName(args[0]); err != nil {
		return err
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return fmt.Errorf("the command can't be run: %w", err)
	}
	t, err := e.get.token(ctx, args[0])
	if err != nil {
		return err
	}
	environment := withVariable(os.Environ(), variable(args[0]), t.AccessToken, foldsCase)
	if err := syscall.Exec(path, args[1:], environment); err != nil { // #nosec G204 -- exec runs what it is told to
		return fmt.Errorf("the command can't be run: %w", err)
	}
	return nil
}

// foldsCase is whether this system takes the names of variables in any case.
const foldsCase = runtime.GOOS == "windows"

// withVariable returns an environment in which a variable has a value and stands
// once. Some programs take the first of two.
func withVariable(environment []string, name, value string, fold bool) []string {
	isName := func(entry string) bool {
		key, _, _ := strings.Cut(entry, "=")
		return key == name || fold && strings.EqualFold(key, name)
	}
	return append(slices.DeleteFunc(slices.Clone(environment), isName), name+"="+value)
}

// variable is the environment variable for a credential's token.
func variable(name string) string {
	v := strings.ToUpper(strings.ReplaceAll(name, "-", "_")) + "_TOKEN"
	if v[0] >= '0' && v[0] <= '9' {
		return "_" + v
	}
	return v
}
