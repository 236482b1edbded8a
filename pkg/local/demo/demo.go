// Package demo simulates the providers of a demo on one machine: their token
// endpoints, an address to control them by, and a credential of each.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/outbound"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/seal"
)

// warm are the credentials that are renewed though nobody asks,
// so that there is something to watch.
var warm = [...]string{"minut", "monta"}

// Options are the settings of a demo.
type Options struct {
	Listen   string        // host:port of the control address, on loopback
	Lifetime time.Duration // of the tokens; 0: as each provider documents
	Log      *slog.Logger
}

// Demo is the simulated providers and the server of their control address.
type Demo struct {
	simulator *simulator.Simulator
	control   *httpserver.Server // nil: it does not listen
	state     *state             // nil: nothing is kept
	log       *slog.Logger
}

// Open starts the providers and listens on their control address. What it
// returns is to be closed, with an error too.
func Open(o Options) (*Demo, error) {
	d := &Demo{simulator: simulator.New(simulator.Options{Lifetime: o.Lifetime}), log: o.Log}
	if err := d.simulator.ListenTLS("127.0.0.1:0"); err != nil {
		return d, fmt.Errorf("--demo: %w", err)
	}
	l, err := httpserver.Listen(o.Listen, "--demo-listen")
	if err != nil {
		return d, err
	}
	d.control = httpserver.New(l, gateway.Timeout, o.Log)
	if !d.control.IsLoopback() {
		return d, errors.New("--demo-listen: expected an address on loopback: the simulator authenticates nobody")
	}
	return d, nil
}

// Keep reads what the providers remember from the data folder, and has Run keep
// it there, sealed like the store's rows.
func (d *Demo) Keep(data datafolder.Folder, owners private.Owners, sealer seal.Sealer) error {
	kept := &state{path: data.DemoStateFile(), simulator: d.simulator, sealer: sealer}
	if err := kept.restore(owners); err != nil {
		return err
	}
	d.state = kept
	return nil
}

// Start answers at the control address. A later failure is passed to fail.
func (d *Demo) Start(fail func(error)) { d.control.Start(d.simulator.Control(), fail) }

// Run keeps what the providers remember until ctx ends.
func (d *Demo) Run(ctx context.Context) { d.state.run(ctx, d.log) }

// Outbound returns how requests reach the simulated providers, and no others.
func (d *Demo) Outbound() outbound.Config {
	return outbound.Config{Roots: d.simulator.Roots(), Route: d.simulator.Route}
}

// ControlURL returns the URL of the control address.
func (d *Demo) ControlURL() string { return d.control.URL() }

// Close ends the demo. Requests to the control address that are under way may
// take grace.
func (d *Demo) Close(grace time.Duration) error {
	if d.control != nil {
		d.control.Stop(grace)
	}
	err := d.simulator.Close()
	if d.state != nil {
		err = errors.Join(err, d.state.save())
	}
	return err
}

// BrowserURL returns where a browser finds an authorize page of the simulator:
// at the control address. Its host name resolves, and it needs no certificate.
func (d *Demo) BrowserURL(page string) string {
	for _, name := range d.simulator.Providers() {
		if at, query, _ := strings.Cut(page, "?"); at == d.simulator.AuthorizeURL(name) {
			return d.control.URL() + "/providers/" + name + "/authorize?" + query
		}
	}
	return page
}

// secret is a credential's secret as the folder stores it.
type secret struct {
	Provider     string `json:"provider"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	TokenURL     string `json:"token_url,omitempty"`
	KeepWarm     bool   `json:"keep_warm,omitempty"`

	Allow access.Rule `json:"allow,omitzero"`
}

// Files returns the names of the files that the start of a demo creates in a
// data folder besides those of any start.
func Files() []string {
	names := []string{datafolder.DemoStateName}
	for _, provider := range simulator.New(simulator.Options{}).Providers() {
		names = append(names, filepath.Join(datafolder.CredentialsName, provider+".json"))
	}
	return names
}

// WriteCredentials writes a credential of each provider to the folder. An
// existing one is not written again: it may have been changed, and each write
// is a new version.
func (d *Demo) WriteCredentials(source *folder.Source) error {
	for _, name := range d.simulator.Providers() {
		absent, err := source.Absent(context.Background(), name)
		if err != nil {
			return err
		}
		if !absent {
			continue
		}
		text, err := json.MarshalIndent(d.secret(name), "", "  ") // #nosec G117 -- into a file of mode 0600
		if err != nil {
			return err
		}
		if err := source.Write(name, append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func (d *Demo) secret(provider string) secret {
	s := secret{Provider: provider, KeepWarm: slices.Contains(warm[:], provider)}
	s.ClientID, s.ClientSecret = d.simulator.ClientFor(provider)
	if described, err := catalog.Get(provider); err == nil && described.NeedsTokenURL() {
		s.TokenURL = d.simulator.TokenURL(provider)
	}
	if d.simulator.AuthorizeURL(provider) != "" {
		s.Allow.Accounts = []string{"*"}
	}
	return s
}

// RefuseCredentials refuses credentials that a demo has left behind in a data
// folder. The real providers would get requests with invented secrets again and
// again.
func RefuseCredentials(source *folder.Source, data datafolder.Folder) error {
	sim := simulator.New(simulator.Options{}) // for its clients: nothing runs
	var left []string
	for _, name := range sim.Providers() {
		c, err := source.Read(context.Background(), name, credential.Current)
		id, secret := sim.ClientFor(name)
		if err == nil && c.ID == id && c.Secret.Reveal() == secret {
			left = append(left, name)
		}
	}
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("%s holds credentials of the demo (%s), which the real providers do not know: "+
		"remove those files from its %s folder, choose another folder with --data, or serve with --demo",
		data.Path, strings.Join(left, ", "), datafolder.CredentialsName)
}
