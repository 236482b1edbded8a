package local

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/local/demo"
	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/records"
)

// Key is a key that requests are signed with.
type Key = gateway.Key

// ParseKey reads ID:SECRET or ID:SECRET=ARN. Its errors say what was expected
// and show nothing of s.
func ParseKey(s string) (Key, error) { return gateway.ParseKey(s) }

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
	// operator has named. See [datafolder.Folder].
	DataIsDefault bool

	// CommandLine returns how an operator runs a command of this program on
	// this data folder, such as "add NAME". nil: the command after "tokenvend".
	CommandLine func(command string) string

	// Advice returns what an operator does about a token on the status page; ""
	// for nothing. nil: nothing.
	Advice func(api.StatusReport) string

	// Metrics is the address, host:port, of a listener for Prometheus. "":
	// none. MetricsToken is the file of its bearer token, needed then.
	Metrics, MetricsToken string

	// Version is the program's, for the metrics.
	Version string

	// Canary is how often each living token is verified at its provider, where
	// that is possible, from a minute on; 0: never.
	Canary time.Duration

	// StaleMax is how long a token is vended from memory while the data folder
	// cannot be read, from a minute on; 0: records.DefaultStaleMax.
	StaleMax time.Duration

	// AllowPrivate admits token endpoints at private and loopback addresses,
	// and http to loopback hosts.
	// Link-local ones, where clouds keep their metadata, stay refused.
	AllowPrivate bool
	// CA is a file of certificates in PEM that are trusted besides the
	// system's; "": none.
	CA string
	// Proxy is an http proxy, with host and port, to reach providers through.
	// nil: none; the environment is never asked.
	Proxy *url.URL

	// TokenFiles are the files that authenticate clients whose secret has
	// "proof": "file", each bound to a credential and a host.
	TokenFiles proof.Bindings

	// Demo simulates the five providers and writes a credential of each to
	// Data. No other provider can be asked.
	Demo         bool
	DemoLifetime time.Duration // of the simulated tokens; 0: as each provider documents
	DemoListen   string        // of the simulator's control, on loopback; "": 127.0.0.1:3001

	Log *slog.Logger // nil: silent
	Out io.Writer    // gets what users read at the start, such as curl commands; nil: nowhere
}

func (c Config) listenAddress() string { return cmp.Or(c.Listen, "127.0.0.1:3000") }
func (c Config) dataFolder() datafolder.Folder {
	return datafolder.Folder{Path: cmp.Or(c.Data, ".tokenvend"), Named: c.Data != "" && !c.DataIsDefault}
}
func (c Config) region() string       { return cmp.Or(c.Region, "us-east-1") }
func (c Config) every() time.Duration { return cmp.Or(c.Every, time.Minute) }
func (c Config) demoAddress() string  { return cmp.Or(c.DemoListen, "127.0.0.1:3001") }

// files returns the names of the files that a start creates besides those of
// any start.
func (c Config) files() []string {
	if c.Demo {
		return demo.Files()
	}
	return nil
}

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

// commandLine returns how an operator runs a command of this program.
func (c Config) commandLine(command string) string {
	if c.CommandLine == nil {
		return "tokenvend " + command
	}
	return c.CommandLine(command)
}

var regionName = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// minCanary is the shortest period of the canary. A wrong unit must not have
// providers asked without a pause.
const minCanary = time.Minute

// check returns what is wrong with the configuration on any machine.
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
	if c.Demo && len(c.relaxations()) > 0 {
		errs = append(errs, errors.New("--allow-private, --ca, --proxy: not beside --demo, which asks no provider "+
			"outside"))
	}
	if c.Demo && len(c.TokenFiles) > 0 {
		errs = append(errs, errors.New("--token-file: not beside --demo, which asks no provider outside"))
	}
	if !regionName.MatchString(c.region()) {
		errs = append(errs, errors.New("--region: expected a region's name, such as us-east-1"))
	}
	return errors.Join(append(errs, checkKeys(c.Keys))...)
}

// checkKeys returns what is wrong with the keys together.
func checkKeys(keys []Key) error {
	seen := map[string]bool{}
	for _, k := range keys {
		if err := k.Check(); err != nil {
			return fmt.Errorf("%s: %w", k.Flag(), err)
		}
		if seen[k.ID] {
			return fmt.Errorf("%s: expected another id: two keys have this one", k.Flag())
		}
		seen[k.ID] = true
	}
	return nil
}

// relaxations describes the settings that let the server trust or reach more
// than it does by default.
func (c Config) relaxations() []string {
	var all []string
	if c.AllowPrivate {
		all = append(all, "token endpoints may have private and loopback addresses, and http on loopback "+
			"(--allow-private)")
	}
	if c.CA != "" {
		all = append(all, "certificates of "+c.CA+" are trusted besides the system's (--ca)")
	}
	if c.Proxy != nil {
		all = append(all, "providers are reached through "+c.Proxy.Host+", which decides what may be reached (--proxy)")
	}
	return all
}

// grace is how long calls that are under way may take once the server ends.
const grace = 10 * time.Second
