// Package server holds the commands that serve on this machine: tokenvend
// itself, and the agent.
package server

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/local"
	"github.com/tokenvend/tokenvend/pkg/local/logbuffer"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/records"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newServe(p), newUI(p), newAgent(p)}
}

type serve struct {
	command.Program
	local.Config
	data            string
	keys, adminKeys []string
	tokenFiles      []string
	proxy           command.Proxy
	verbose         bool
}

func newServe(p command.Program) *cobra.Command {
	s := &serve{Program: p}
	s.Config.Version = p.Version
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Runs tokenvend on this machine, without AWS",
		Long: "Credentials are files in FOLDER/credentials: tokenvend add puts one there. " +
			"Requests are signed as for API Gateway. Ctrl-C ends it.\n",
		Example:           "tokenvend serve\ntokenvend serve --demo --demo-lifetime 20s --every 5s",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return s.run(cmd.Context(), p.Hints(cmd)) },
	}
	s.register(cmd.Flags())
	return cmd
}

func (s *serve) register(f *pflag.FlagSet) {
	f.StringVar(&s.Listen, "listen", "127.0.0.1:3000", "listen on this `ADDRESS`; port 0: any that is free")
	f.StringVar(&s.data, "data", "", "keep everything in this `FOLDER`; else "+connection.EnvData+
		", else ~/.tokenvend; for --demo .tokenvend in the current folder")
	f.StringVar(&s.Region, "region", "us-east-1", "the `REGION` that requests must be signed for")
	f.Func("key", "`ID:SECRET` or ID:SECRET=ARN: a caller's key, which may GET and POST /tokens/NAME, "+
		"as that IAM principal; may be repeated. Others on this machine can read a command line", appendTo(&s.keys))
	f.Func("admin-key", "`ID:SECRET` or ID:SECRET=ARN: an operator's key, which may do everything, "+
		"beside the one in FOLDER/key; may be repeated", appendTo(&s.adminKeys))
	f.DurationVar(&s.Every, "every", time.Minute, "renew tokens that are due this often, a `DURATION` as in 1m")
	f.DurationVar(&s.Canary, "canary", 0, "verify each living token at its provider this often, where that is "+
		"possible, "+
		"a `DURATION` as in 15m; else never")
	f.StringVar(&s.Metrics, "metrics", "", "answer GET /metrics for Prometheus on this `ADDRESS`; else nowhere")
	f.StringVar(&s.MetricsToken, "metrics-token", "", "the `FILE` of the bearer token that /metrics takes")
	f.BoolVar(&s.AllowPrivate, "allow-private", false,
		"let token endpoints have private and loopback addresses, and http:// on loopback; link-local ones stay "+
			"refused")
	f.Func("token-file", "`CREDENTIAL=PATH@HOST`: authenticate this credential at this host by the token in a file, "+
		"where its secret has \"proof\": \"file\"; may be repeated", appendTo(&s.tokenFiles))
	f.StringVar(&s.CA, "ca", "", "trust the certificates of this PEM `FILE` besides the system's")
	s.proxy.Register(f)
	f.BoolVar(&s.Demo, "demo", false, "simulate the providers, with a credential of each; "+
		"the operator's key is local:local where no other key is given")
	f.DurationVar(&s.StaleMax, "stale-max", records.DefaultStaleMax,
		"how long a token is vended from memory while the data folder cannot be read, a `DURATION` as in 5m")
	f.DurationVar(&s.DemoLifetime, "demo-lifetime", 0,
		"how long the simulated tokens live, a `DURATION` as in 20s; else as each provider documents")
	f.StringVar(&s.DemoListen, "demo-listen", "127.0.0.1:3001",
		"the `ADDRESS` where the simulated providers are told to misbehave")
	f.BoolVar(&s.verbose, "verbose", false, "log more")
}

// parseKeys reads the keys that the flags give.
func (s *serve) parseKeys() error {
	for i, value := range slices.Concat(s.keys, s.adminKeys) {
		k, err := local.ParseKey(value)
		if k.Operator = i >= len(s.keys); err != nil {
			return clierror.Usage("%s: %v", k.Flag(), err)
		}
		s.Keys = append(s.Keys, k)
	}
	return nil
}

// parseTokenFiles reads --token-file.
func (s *serve) parseTokenFiles() (err error) {
	if s.TokenFiles, err = proof.ParseFiles(s.tokenFiles); err != nil {
		return clierror.Usage("--token-file: %v", err)
	}
	return nil
}

// chooseData sets the data folder, and the commands that are printed about it.
func (s *serve) chooseData(commands hint.Commands) error {
	folder, err := connection.DemoFolder(s.data), error(nil)
	if !s.Demo {
		folder, err = connection.DataFolder(s.data)
	}
	s.Data, s.DataIsDefault = folder.Path, !folder.Named
	if s.Demo {
		commands = commands.WithData(folder.Path)
	}
	s.CommandLine = commands.Text
	s.Advice = func(r api.StatusReport) string {
		if r.Account != "" {
			return report.Remedy(r, commands.WithAccount(r.Account))
		}
		return report.Remedy(r, commands)
	}
	return err
}

// gcPercent is Go's GOGC for the server: its heap is a few MB, and at 100 a
// fifth of its time under load is spent on garbage collection.
const gcPercent = 400

func (s *serve) run(ctx context.Context, commands hint.Commands) error {
	if err := s.parseKeys(); err != nil {
		return err
	}
	if err := s.parseTokenFiles(); err != nil {
		return err
	}
	s.Proxy = s.proxy.URL
	if err := s.chooseData(commands); err != nil {
		return err
	}
	level := slog.LevelInfo
	if s.verbose {
		level = slog.LevelDebug
	}
	lines := logbuffer.New(s.ErrorOutput())
	defer func() { _ = lines.Close() }()
	s.Log = slog.New(slog.NewTextHandler(lines, &slog.HandlerOptions{Level: level}))
	s.Out = s.Output()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	if err := local.Serve(ctx, s.Config); err != nil {
		return err
	}
	return s.Printf("tokenvend has ended. Its tokens are kept in %s.\n", s.Data)
}
