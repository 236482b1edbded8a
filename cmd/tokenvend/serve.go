package main

import (
	"context"
	"flag"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/tokenvend/tokenvend/pkg/local"
	"github.com/tokenvend/tokenvend/pkg/mint"
)

var serveCommand = command{
	name: "serve", does: "Runs tokenvend on this machine, without AWS",
	more:    "Credentials are files in FOLDER/credentials: tokenvend add puts one there. Requests are signed as for API Gateway. Ctrl-C ends it.\n",
	example: "tokenvend serve --demo --demo-lifetime 20s --every 5s",
	make:    func() action { return &serve{} },
}

type serve struct {
	local.Config
	keys    []string
	verbose bool
}

func (s *serve) flags(f *flag.FlagSet) {
	f.StringVar(&s.Listen, "listen", "127.0.0.1:3000", "listen on this `ADDRESS`; port 0: any that is free")
	f.StringVar(&s.Data, "data", defaultData, "keep everything in this `FOLDER`")
	f.StringVar(&s.Region, "region", "us-east-1", "the `REGION` that requests must be signed for")
	f.Func("key", "`ID:SECRET` or ID:SECRET=ARN: who may ask, and as whom; may be repeated. Without it there is one key at random, in FOLDER/key. Others on this machine can read a command line", s.addKey)
	f.DurationVar(&s.Every, "every", time.Minute, "how often tokens that are due are renewed, as in `1m`")
	f.DurationVar(&s.Canary, "canary", 0, "how often each living token is proven at its provider, where that can be done, as in `15m`; else never")
	const staleMax = "how long a token is vended from memory while the data folder cannot be read, as in `5m`"
	f.DurationVar(&s.StaleMax, "stale-max", mint.DefaultStaleMax, staleMax)
	f.BoolVar(&s.Demo, "demo", false, "simulate the providers, with a credential of each; the key is local:local")
	f.DurationVar(&s.DemoLifetime, "demo-lifetime", 0, "how long the simulated tokens live, as in `20s`; else as each provider documents")
	f.StringVar(&s.DemoListen, "demo-listen", "127.0.0.1:3001", "the `ADDRESS` where the simulated providers are told to misbehave")
	f.BoolVar(&s.verbose, "verbose", false, "log more")
}

func (s *serve) addKey(value string) error {
	s.keys = append(s.keys, value) // parsed later: package flag's errors show the value
	return nil
}

// rarely is Go's GOGC for the server: its heap is a few MB, and at 100 a fifth of its time under load goes into collecting garbage.
const rarely = 400

func (s *serve) run(ctx context.Context, c console, args []string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	for _, value := range s.keys {
		k, err := local.ParseKey(value)
		if err != nil {
			return usage("--key: %v", err)
		}
		s.Keys = append(s.Keys, k)
	}
	level := slog.LevelInfo
	if s.verbose {
		level = slog.LevelDebug
	}
	s.Log, s.Out = slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level})), c.out
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(rarely)
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait
	return local.Serve(ctx, s.Config)
}
