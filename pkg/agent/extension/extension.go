// Package extension runs the agent as an extension of a Lambda function: beside
// the function's own process, in any runtime.
package extension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
)

// Process is what the extension knows of the process that it runs in.
type Process struct {
	Name   string // of its file, under which it registers
	Getenv func(string) string
	Log    io.Writer // the function's log
}

// This returns the running process.
func This() Process {
	return Process{Name: filepath.Base(os.Args[0]), Getenv: os.Getenv, Log: os.Stdout}
}

const (
	callTime  = 35 * time.Second // for one call of the function; a request to tokenvend takes up to 30
	stopGrace = 500 * time.Millisecond
	failTime  = time.Second // for reporting an error to Lambda
)

// gcPercent is Go's GOGC: the heap holds some tokens and connections, and at
// 100 it grows to 4 MB before garbage is collected. The variable GOGC is the
// function's, whose environment this is.
const gcPercent = 25

// Run runs the extension until Lambda shuts the environment down. An error is
// reported to Lambda, which then ends the environment.
func Run(ctx context.Context, p Process) error {
	debug.SetGCPercent(gcPercent)
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	e, err := start(ctx, p, fail)
	if err == nil {
		defer e.stop()
	}
	// The server listens by now: the function may ask as soon as it starts.
	lambda := newExtensionsAPI(p.Getenv(envRuntimeAPI))
	if registered := lambda.register(ctx, p.Name); registered != nil {
		return errors.Join(err, registered)
	}
	if err != nil {
		return report(ctx, lambda, "init/error", err)
	}
	if err := e.handleEvents(ctx, lambda); err != nil {
		return report(context.WithoutCancel(ctx), lambda, "exit/error", err)
	}
	return nil
}

// report reports an error to Lambda, and returns it.
func report(ctx context.Context, lambda *extensionsAPI, operation string, err error) error {
	ctx, cancel := context.WithTimeout(ctx, failTime)
	defer cancel()
	_ = lambda.fail(ctx, operation, "Extension.TokenvendAgent", err.Error()) // err itself is logged
	return err
}

// running is an agent that serves on loopback.
type running struct {
	web    *http.Client
	agent  *agent.Agent
	server *httpserver.Server
	cancel context.CancelFunc
	ahead  sync.WaitGroup
}

// start starts the agent as the environment says. What ends its server later is
// passed to fail.
func start(ctx context.Context, p Process, fail func(error)) (*running, error) {
	s, err := read(p.Getenv)
	if err != nil {
		return nil, fmt.Errorf("the extension is misconfigured: %w", err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", envPort, err)
	}
	log := slog.New(slog.NewJSONHandler(p.Log, nil))
	e := &running{web: s.web, server: httpserver.New(l, callTime, log)}
	e.agent = agent.New(agent.Config{Transport: s.transport, Credentials: s.credentials, Log: log})
	e.server.Start(agent.Guard(s.key, e.agent.Handler()), fail)
	e.agent.Prefetch()
	ctx, e.cancel = context.WithCancel(ctx)
	e.ahead.Go(func() { e.agent.Run(ctx) })
	return e, nil
}

func (e *running) stop() {
	e.cancel()
	e.server.Stop(stopGrace)
	e.agent.Close()
	e.ahead.Wait()
}

// longPause is after how long without an event connections may have ended
// without the frozen process having noticed.
const longPause = 30 * time.Second

// handleEvents asks for one event after another until that of the end. The next
// one is asked for at once: Lambda ends an invocation when all extensions have.
func (e *running) handleEvents(ctx context.Context, lambda *extensionsAPI) error {
	for last := wall(); ; last = wall() {
		event, err := lambda.next(ctx)
		if failed := context.Cause(ctx); failed != nil {
			return failed
		}
		if err != nil || event == eventShutdown {
			return err
		}
		if wall().Sub(last) > longPause {
			e.web.CloseIdleConnections()
		}
		e.agent.Refresh()
	}
}

// wall returns the time without the monotonic reading, which stops while the
// process is frozen.
func wall() time.Time { return time.Now().Round(0) }
