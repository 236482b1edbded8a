package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/descriptor/catalog"
	"github.com/tokenvend/tokenvend/pkg/local/gateway"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// warmDemos are the credentials of a demo that are renewed though nobody asks,
// so that there is something to watch.
var warmDemos = [...]string{"minut", "monta"}

// demo is the simulator and the server of its control address.
type demo struct {
	simulator *simulator.Simulator
	control   *httpserver.Server // nil: it does not listen
	state     *demoState         // nil: nothing is kept
}

// openDemo starts the simulator and listens on its control address. What it
// returns is to be closed, with an error too.
func openDemo(c Config) (*demo, error) {
	d := &demo{simulator: simulator.New(simulator.Options{Lifetime: c.DemoLifetime})}
	if err := d.simulator.ListenTLS("127.0.0.1:0"); err != nil {
		return d, fmt.Errorf("--demo: %w", err)
	}
	l, err := httpserver.Listen(c.demoAddress(), "--demo-listen")
	if err != nil {
		return d, err
	}
	d.control = httpserver.New(l, gateway.Timeout, c.log())
	if !d.control.IsLoopback() {
		return d, errors.New("--demo-listen: expected an address on loopback: the simulator authenticates nobody")
	}
	return d, nil
}

func (d *demo) close(grace time.Duration) error {
	if d.control != nil {
		d.control.Stop(grace)
	}
	err := d.simulator.Close()
	if d.state != nil {
		err = errors.Join(err, d.state.save())
	}
	return err
}

// browserURL returns where a browser finds an authorize page of the simulator:
// at the control address. Its host name resolves, and it needs no certificate.
func (d *demo) browserURL(page string) string {
	for _, name := range d.simulator.Providers() {
		if at, query, _ := strings.Cut(page, "?"); at == d.simulator.AuthorizeURL(name) {
			return d.control.URL() + "/providers/" + name + "/authorize?" + query
		}
	}
	return page
}

// demoSecret is a secret as the folder stores it.
type demoSecret struct {
	Provider     string `json:"provider"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	TokenURL     string `json:"token_url,omitempty"`
	KeepWarm     bool   `json:"keep_warm,omitempty"`

	Allow access.Rule `json:"allow,omitzero"`
}

// writeDemos writes a credential of each provider to the folder. An existing
// one is not written again: it may have been changed, and each write is a new
// version.
func writeDemos(source *folder.Source, sim *simulator.Simulator) error {
	for _, name := range sim.Providers() {
		absent, err := source.Absent(context.Background(), name)
		if err != nil {
			return err
		}
		if !absent {
			continue
		}
		secret := demoSecret{Provider: name, KeepWarm: slices.Contains(warmDemos[:], name)}
		secret.ClientID, secret.ClientSecret = sim.ClientFor(name)
		if d, err := catalog.Get(name); err == nil && d.NeedsTokenURL() {
			secret.TokenURL = sim.TokenURL(name)
		}
		if sim.AuthorizeURL(name) != "" {
			secret.Allow.Accounts = []string{"*"}
		}
		text, err := json.MarshalIndent(secret, "", "  ") // #nosec G117 -- into a file of mode 0600
		if err != nil {
			return err
		}
		if err := source.Write(name, append(text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// refuseDemos refuses credentials that a demo has left behind. The real
// providers would get requests with invented secrets again and again.
func refuseDemos(source *folder.Source, data string) error {
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
		data, strings.Join(left, ", "), credentialFolder)
}
