// Package local runs tokenvend on one machine, without AWS: vend and rotate in
// one process, over an embedded store and a folder of credentials. A ticker
// takes the place of the schedule, and an HTTP server verifies signatures as
// API Gateway does.
package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"time"

	"github.com/tokenvend/tokenvend/pkg/records"
)

// Config is what a server is made from. The zero value serves .tokenvend on
// 127.0.0.1:3000.
//
// An operator's key is made at random and kept in Data/key as ID:SECRET. Only
// with Demo, and without Keys, it is local:local instead.
type Config struct {
	Listen string        // host:port; "": 127.0.0.1:3000. Port 0 is any free one
	Data   string        // the data folder; "": .tokenvend
	Region string        // what requests must be signed for; "": us-east-1
	Keys   []Key         // beside the operator's key: see below
	Every  time.Duration // how often what is due is renewed, from a second on; 0: each minute

	// DataIsDefault is whether Data is a default, and not a folder that the
	// operator has named. See [Folder].
	DataIsDefault bool

	// CommandLine returns how an operator runs a command of this program on this
	// data folder, such as "add NAME". nil: the command after "tokenvend".
	CommandLine func(command string) string

	// Canary is how often each living token is verified at its provider, where
	// that is possible, from a minute on; 0: never.
	Canary time.Duration

	// StaleMax is how long a token is vended from memory while the data folder
	// cannot be read, from a minute on; 0: records.DefaultStaleMax.
	StaleMax time.Duration

	// AllowPrivate admits token endpoints at private and loopback addresses.
	// Link-local ones, where clouds keep their metadata, stay refused.
	AllowPrivate bool
	// CA is a file of certificates in PEM that are trusted besides the system's;
	// "": none.
	CA string
	// Proxy is an http proxy, with host and port, to reach providers through.
	// nil: none; the environment is never asked.
	Proxy *url.URL

	// Demo simulates the five providers and writes a credential of each to Data.
	// No other provider can be asked.
	Demo         bool
	DemoLifetime time.Duration // of the simulated tokens; 0: as each provider documents
	DemoListen   string        // of the simulator's control, on loopback; "": 127.0.0.1:3001

	Log *slog.Logger // nil: silent
	Out io.Writer    // gets what users read at the start, such as curl commands; nil: nowhere
}

func (c Config) listen() string       { return cmp.Or(c.Listen, "127.0.0.1:3000") }
func (c Config) data() string         { return cmp.Or(c.Data, ".tokenvend") }
func (c Config) folder() Folder       { return Folder{c.data(), c.Data != "" && !c.DataIsDefault} }
func (c Config) region() string       { return cmp.Or(c.Region, "us-east-1") }
func (c Config) every() time.Duration { return cmp.Or(c.Every, time.Minute) }
func (c Config) demoListen() string   { return cmp.Or(c.DemoListen, "127.0.0.1:3001") }

func (c Config) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

func (c Config) out() io.Writer {
	if c.Out == nil {
		return io.Discard
	}
	return c.Out
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// minCanary keeps a wrong unit from sending providers request after request.
const minCanary = time.Minute

// check returns what is wrong on any machine.
func (c Config) check() error {
	var errs []error
	if c.every() < time.Second {
		errs = append(errs, errors.New("--every: expected a second or more"))
	}
	if c.Canary != 0 && c.Canary < minCanary {
		errs = append(errs, errors.New("--canary: expected a minute or more"))
	}
	if c.StaleMax != 0 && (c.StaleMax < records.ShortestStaleMax || c.StaleMax > records.LongestStaleMax) {
		errs = append(errs, errors.New("--stale-max: expected a duration from 1m to 24h"))
	}
	if c.DemoLifetime < 0 || c.DemoLifetime > 0 && c.DemoLifetime < time.Second {
		errs = append(errs, errors.New("--demo-lifetime: expected a second or more"))
	}
	if c.Demo && len(c.opened()) > 0 {
		errs = append(errs, errors.New("--allow-private, --ca, --proxy: not beside --demo, which asks no provider outside"))
	}
	if !regionName.MatchString(c.region()) {
		errs = append(errs, errors.New("--region: expected a region's name, such as us-east-1"))
	}
	return errors.Join(append(errs, checkKeys(c.Keys))...)
}

// grace is how long calls that are under way may take once the server ends.
const grace = 10 * time.Second

// Serve builds a server, serves until ctx ends, and returns nil once everything
// is closed. An end of ctx while the server starts is an end like any other,
// and no error. An error of building names all that is wrong at once; then
// nothing has been served, and what the start created is removed.
func Serve(ctx context.Context, c Config) error {
	created := c.folder().absent(c.Demo)
	h, err := build(c)
	if err != nil {
		return errors.Join(err, c.folder().removeCreated(created))
	}
	open, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	h.open(fail)
	err = h.announce(ctx)
	if isEnd(ctx, err) {
		err = nil
	}
	if err == nil {
		<-open.Done()
		if ctx.Err() == nil {
			err = fmt.Errorf("serving has ended: %w", context.Cause(open))
		}
	}
	return errors.Join(err, h.close())
}

// isEnd reports whether err says no more than that ctx has ended.
func isEnd(ctx context.Context, err error) bool {
	return err != nil && ctx.Err() != nil && errors.Is(err, ctx.Err())
}
