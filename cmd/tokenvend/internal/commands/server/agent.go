package server

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/agent/tokenfile"
)

type agentCommand struct {
	command.Program
	connection.Flags
	agentAddresses
	writes, templates []string
}

func newAgent(p command.Program) *cobra.Command {
	a := &agentCommand{Program: p}
	cmd := &cobra.Command{
		Use:   "agent NAME…",
		Short: "Gives tokens to the programs beside it, over HTTP and as files",
		Long: `It keeps the tokens of the credentials NAME, obtains the next ones ahead, and gives a living token
while tokenvend cannot be asked. It serves until it is interrupted:
  /tokens/NAME         a token, as the API answers it; POST {"rejected":"FINGERPRINT"} reports one
  /authorization/NAME  the value of an Authorization header
  /forward-auth/NAME   200 with an Authorization header, for a proxy that asks before it forwards
  /oauth2/token        an OAuth 2.0 token endpoint: client_id is NAME, client_secret the agent's key
On loopback a request needs the agent's key, in the header ` + agent.KeyHeader + `. The agent writes
it into a file of mode 0600. The unix socket needs no key: it takes connections of this user and of
root.
A template of a file has {{.AccessToken}}, {{.TokenType}}, {{.Scope}}, {{.Fingerprint}},
{{.ExpiresAt}}, {{.CacheUntil}}.
`,
		Example: `tokenvend agent minut monta
curl -H "` + agent.KeyHeader + `: $(cat ~/` + keyName + `)" http://localhost:2774/tokens/minut
tokenvend agent minut --listen none --socket ~/.agent/socket
tokenvend agent --write minut=/run/minut/token`,
		Args: func(_ *cobra.Command, names []string) error {
			for _, name := range names {
				if err := command.CheckName(name); err != nil {
					return err
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, names []string) error { return a.run(cmd.Context(), p.Hints(cmd), names) },
	}
	a.register(cmd.Flags())
	cmd.ValidArgsFunction = command.CompleteNames(&a.Flags)
	return cmd
}

func (a *agentCommand) register(f *pflag.FlagSet) {
	a.Flags.Register(f)
	f.StringVar(&a.listen, "listen", "127.0.0.1:2774", "listen on this loopback `ADDRESS`; port 0: any that is free; "+
		noListen+": on none")
	f.StringVar(&a.socket, "socket", "", "listen on a unix socket at this `PATH`, for this user alone")
	f.StringVar(&a.keyFile, "key-file", "", "write the key into this `FILE`; else ~/"+keyName)
	f.BoolVar(&a.keepKey, "keep-key", false,
		"use the key that the file holds, for programs whose settings hold it too; else each start makes another")
	f.Func("write", "`NAME=PATH`: keep a token of the credential in this file, of mode 0600; may be repeated",
		appendTo(&a.writes))
	f.Func("template", "`NAME=TEXT`: the content of the credential's file, as a Go template; else the token alone; "+
		"may be repeated", appendTo(&a.templates))
}

func (a *agentCommand) run(ctx context.Context, commands hint.Commands, names []string) error {
	files, err := a.files()
	if err != nil {
		return err
	}
	for _, f := range files {
		names = append(names, f.Credential)
	}
	if len(names) == 0 {
		return clierror.Usage("expected the names of the credentials that the agent may ask for")
	}
	if a.listen == noListen && a.socket == "" && len(files) == 0 {
		return clierror.Usage("--listen none: expected --socket or --write too")
	}
	slices.Sort(names)
	place, err := a.Place(ctx, commands)
	if err != nil {
		return err
	}
	transport, err := place.Transport()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(a.ErrorOutput(), nil))
	tokens := agent.New(agent.Config{Transport: transport, Credentials: slices.Compact(names), Log: log})
	defer tokens.Close()
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	return a.serve(ctx, tokens, files, log)
}

// serve serves and keeps the files until ctx ends.
func (a *agentCommand) serve(ctx context.Context, tokens *agent.Agent, files []tokenfile.File, log *slog.Logger) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	listeners, err := a.open(tokens, log)
	defer func() {
		for _, l := range listeners {
			l.server.Stop(agentGrace)
		}
	}()
	if err != nil {
		return err
	}
	for _, l := range listeners {
		l.server.Start(l.handler, fail)
		a.Say("%s", l.text)
	}
	tokens.Prefetch()
	var background sync.WaitGroup
	background.Go(func() { tokens.Run(ctx) })
	for _, f := range files {
		background.Go(func() { f.Update(ctx, tokens, log) })
	}
	background.Wait()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// agentGrace is how long calls may go on when the agent ends.
const agentGrace = 2 * time.Second

// files reads --write and --template.
func (a *agentCommand) files() ([]tokenfile.File, error) {
	templates := map[string]*template.Template{}
	for _, value := range a.templates {
		name, text, ok := strings.Cut(value, "=")
		if !ok || command.CheckName(name) != nil {
			return nil, clierror.Usage("--template: expected NAME=TEXT")
		}
		parsed, err := tokenfile.Parse(text)
		if err != nil {
			return nil, clierror.Usage("--template: %v", err)
		}
		templates[name] = parsed
	}
	var files []tokenfile.File
	written, paths := map[string]bool{}, map[string]bool{}
	for _, value := range a.writes {
		name, path, ok := strings.Cut(value, "=")
		if !ok || path == "" || command.CheckName(name) != nil {
			return nil, clierror.Usage("--write: expected NAME=PATH")
		}
		if path = filepath.Clean(path); paths[path] {
			return nil, clierror.Usage("--write: expected a path of its own for each file")
		}
		paths[path] = true
		files = append(files, tokenfile.File{Credential: name, Path: path, Template: templates[name]})
		written[name] = true
	}
	for name := range templates {
		if !written[name] {
			return nil, clierror.Usage("--template: expected a --write of %s too", name)
		}
	}
	return files, nil
}

// appendTo keeps the values of a flag, to be parsed later: an error of the flag
// would show the value.
func appendTo(values *[]string) func(string) error {
	return func(value string) error {
		*values = append(*values, value)
		return nil
	}
}
