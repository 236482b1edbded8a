package main

import (
	"context"
	"flag"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tokenvend/tokenvend/pkg/local"
	"github.com/tokenvend/tokenvend/pkg/records"
)

var serveCommand = command{
	name: "serve", does: "Runs tokenvend on this machine, without AWS",
	more:    "Credentials are files in FOLDER/credentials: tokenvend add puts one there. Requests are signed as for API Gateway. Ctrl-C ends it.\n",
	example: "tokenvend serve --demo --demo-lifetime 20s --every 5s",
	make:    func() action { return &serve{} },
}

type serve struct {
	local.Config
	keys, adminKeys []string
	proxy           string
	verbose         bool
}

func (s *serve) flags(f *flag.FlagSet) {
	f.StringVar(&s.Listen, "listen", "127.0.0.1:3000", "listen on this `ADDRESS`; port 0: any that is free")
	f.StringVar(&s.Data, "data", "", "keep everything in this `FOLDER` (default "+defaultData+")")
	f.StringVar(&s.Region, "region", "us-east-1", "the `REGION` that requests must be signed for")
	f.Func("key", "`ID:SECRET` or ID:SECRET=ARN: a caller's key, which may GET and POST /tokens/NAME, as that IAM principal; "+
		"may be repeated. Others on this machine can read a command line", into(&s.keys))
	f.Func("admin-key", "`ID:SECRET` or ID:SECRET=ARN: an operator's key, which may do everything, beside the one in FOLDER/key; "+
		"may be repeated", into(&s.adminKeys))
	f.DurationVar(&s.Every, "every", time.Minute, "how often tokens that are due are renewed, as in `1m`")
	f.DurationVar(&s.Canary, "canary", 0, "how often each living token is proven at its provider, where that can be done, as in `15m`; else never")
	f.BoolVar(&s.AllowPrivate, "allow-private", false, "let token endpoints have private and loopback addresses; link-local ones stay refused")
	f.StringVar(&s.CA, "ca", "", "trust the certificates of this PEM `FILE` besides the system's")
	f.StringVar(&s.proxy, "proxy", "", "reach providers through this http proxy, as `http://HOST:PORT`")
	f.BoolVar(&s.Demo, "demo", false, "simulate the providers, with a credential of each; "+
		"the operator's key is local:local where no other key is given")
	const staleMax = "how long a token is vended from memory while the data folder cannot be read, as in `5m`"
	f.DurationVar(&s.StaleMax, "stale-max", records.DefaultStaleMax, staleMax)
	f.DurationVar(&s.DemoLifetime, "demo-lifetime", 0, "how long the simulated tokens live, as in `20s`; else as each provider documents")
	f.StringVar(&s.DemoListen, "demo-listen", "127.0.0.1:3001", "the `ADDRESS` where the simulated providers are told to misbehave")
	f.BoolVar(&s.verbose, "verbose", false, "log more")
}

// into keeps the values of a flag, to be parsed later: the errors of package
// flag show the value.
func into(values *[]string) func(string) error {
	return func(value string) error {
		*values = append(*values, value)
		return nil
	}
}

// parseKeys reads the keys that were given by flags.
func (s *serve) parseKeys() error {
	for i, value := range slices.Concat(s.keys, s.adminKeys) {
		k, err := local.ParseKey(value)
		if k.Operator = i >= len(s.keys); err != nil {
			return usage("%s: %v", k.Flag(), err)
		}
		s.Keys = append(s.Keys, k)
	}
	return nil
}

// parseProxy reads --proxy. Its error shows no user and no password.
func (s *serve) parseProxy() error {
	if s.proxy == "" {
		return nil
	}
	u, err := url.Parse(s.proxy)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" || u.Port() == "" || u.User != nil ||
		strings.Trim(u.Path, "/")+u.RawQuery+u.Fragment != "" {
		return usage("--proxy: expected http://HOST:PORT, without user and password")
	}
	s.Proxy = u
	return nil
}

// rarely is Go's GOGC for the server: its heap is a few MB, and at 100 a fifth of its time under load goes into collecting garbage.
const rarely = 400

func (s *serve) run(ctx context.Context, c console, args []string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	if err := s.parseKeys(); err != nil {
		return err
	}
	if err := s.parseProxy(); err != nil {
		return err
	}
	level := slog.LevelInfo
	if s.verbose {
		level = slog.LevelDebug
	}
	s.Log, s.Out = slog.New(slog.NewTextHandler(c.ErrorOutput(), &slog.HandlerOptions{Level: level})), c.Output()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(rarely)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	return local.Serve(ctx, s.Config)
}
