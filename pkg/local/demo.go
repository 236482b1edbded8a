package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// credentialFolder is the folder of the credentials, in the data folder.
const credentialFolder = "credentials"

// warmDemos are the credentials of a demo that are renewed though nobody asks,
// so that there is something to watch.
var warmDemos = [...]string{"minut", "monta"}

// openDemo starts the simulator, listens on its control address, and writes the
// demo's credentials.
func (h *server) openDemo() error {
	sim := simulator.New(simulator.Options{Lifetime: h.DemoLifetime})
	if err := sim.ListenTLS("127.0.0.1:0"); err != nil {
		return fmt.Errorf("--demo: %w", err)
	}
	h.demo = sim
	l, err := listen(h.demoListen(), "--demo-listen")
	if err == nil {
		h.control = newWeb(l, sim.Control(), h.log())
		if !isLoopback(l) {
			err = errors.New("--demo-listen: expected an address on loopback: the simulator authenticates nobody")
		}
	}
	if h.source == nil {
		return err
	}
	return errors.Join(err, writeDemos(h.source, sim))
}

func (h *server) closeDemo() error {
	if h.demo == nil {
		return nil
	}
	if h.control != nil {
		h.control.stop(grace)
	}
	return h.demo.Close()
}

// browse returns where a browser finds an authorize page. In a demo that is the
// control address: its host name resolves, and it needs no certificate.
func (h *server) browse(page string) string {
	if h.demo == nil {
		return page
	}
	for _, name := range h.demo.Providers() {
		if at, query, _ := strings.Cut(page, "?"); at == h.demo.AuthorizeURL(name) {
			return urlOf(h.control.listener) + "/providers/" + name + "/authorize?" + query
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
		if d, err := descriptor.Catalog(name); err == nil && d.NeedsTokenURL() {
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
