//go:build testall

package testbed

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// PeerClient is a client that an OAuth server of other authors registers.
type PeerClient struct {
	ID     string `json:"id"`
	Secret string `json:"secret"`
	// Auth is client_secret_basic or client_secret_post (RFC 7591 §2).
	Auth string `json:"auth"`
	// Seconds is the lifetime of its access tokens.
	Seconds int `json:"seconds"`
	// Redirect is its redirect URI. "": it uses client credentials alone.
	Redirect string `json:"redirect,omitempty"`
}

// Peer is an OAuth server that a test can end and start again on the same port.
// One user, alice, has an account there, and her password is "any".
type Peer struct {
	server  server
	process *process
}

// Endpoint is where it answers. It is the same after a restart.
func (p *Peer) Endpoint() Endpoint { return p.process.endpoint }

// Stop ends the process as an operator would, so that it can write what it has
// in memory.
func (p *Peer) Stop() {
	_ = p.process.cmd.Process.Signal(syscall.SIGTERM) // the one error: it has ended already
	select {
	case <-p.process.ended:
	case <-time.After(stopWithin):
		p.process.end()
	}
}

// Restart starts the process again after Stop.
func (p *Peer) Restart(t testing.TB) {
	t.Helper()
	at, err := url.Parse(string(p.Endpoint()))
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.server.runOn(port)
	if err != nil {
		t.Fatal(err)
	}
	p.process = again
}

// stopWithin is how long a server may take to end by itself.
const stopWithin = 30 * time.Second

func startPeer(t testing.TB, s server) *Peer {
	t.Helper()
	started, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	p := &Peer{server: s, process: started}
	t.Cleanup(func() { p.process.end() })
	return p
}

// peerSettings returns the environment of the servers whose programs stand in
// this repository.
func peerSettings(t testing.TB, clients []PeerClient) []string {
	t.Helper()
	settings, err := json.Marshal(map[string]any{
		"clients": clients, "state": filepath.Join(t.TempDir(), "state"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return []string{"TOKENVEND_TESTBED_PEER=" + string(settings)}
}

// What npm installs @node-oauth/oauth2-server from, as dynalite's, and how it
// is set up.
var (
	//go:embed oauth2server/package.json
	oauth2ServerManifest []byte
	//go:embed oauth2server/package-lock.json
	oauth2ServerLock []byte
	//go:embed oauth2server/server.mjs
	oauth2ServerProgram string
)

// OAuth2Server starts a server of the npm package @node-oauth/oauth2-server. It
// keeps its tokens in a file.
func OAuth2Server(t testing.TB, clients []PeerClient) *Peer {
	t.Helper()
	node, err := program("node", nodeJS)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := npmInstalled("oauth2-server", oauth2ServerManifest, oauth2ServerLock)
	if err != nil {
		t.Fatal(err)
	}
	return startPeer(t, server{
		name: "@node-oauth/oauth2-server", dir: dir, env: peerSettings(t, clients),
		command: func(port int) []string {
			return []string{node, "--input-type=module", "--eval", oauth2ServerProgram, strconv.Itoa(port)}
		},
	})
}

//go:embed authlib/server.py
var authlibProgram string

// Authlib starts a server of the Python package Authlib. It keeps its tokens in
// a file.
func Authlib(t testing.TB, clients []PeerClient) *Peer {
	t.Helper()
	interpreter, err := python()
	if err != nil {
		t.Fatal(err)
	}
	return startPeer(t, server{
		name: "Authlib", env: peerSettings(t, clients),
		command: func(port int) []string {
			return []string{interpreter, "-c", authlibProgram, strconv.Itoa(port)}
		},
	})
}

// Zitadel starts a server of the Go module github.com/zitadel/oidc. It forgets
// everything when it ends.
func Zitadel(t testing.TB, clients []PeerClient) *Peer { return goPeer(t, "zitadel", clients) }

// Fosite starts a server of the Go module github.com/ory/fosite. It forgets
// everything when it ends.
func Fosite(t testing.TB, clients []PeerClient) *Peer { return goPeer(t, "fosite", clients) }

// goPeer starts a program that is a Go module of its own in internal/peer.
func goPeer(t testing.TB, name string, clients []PeerClient) *Peer {
	t.Helper()
	built, err := goBuilt(name)
	if err != nil {
		t.Fatal(err)
	}
	return startPeer(t, server{
		name: name, env: peerSettings(t, clients),
		command: func(port int) []string { return []string{built, strconv.Itoa(port)} },
	})
}

// goBuilt returns the program of a nested module. go.sum pins what it is made
// of.
func goBuilt(name string) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	module := filepath.Join(root, "internal", "peer", name)
	var sources [][]byte
	for _, file := range []string{"main.go", "go.mod", "go.sum"} {
		source, err := os.ReadFile(filepath.Join(module, file))
		if err != nil {
			return "", err
		}
		sources = append(sources, source)
	}
	dir, err := installed(name+"-"+shortHash(sources...), func(dir string) error {
		ctx, cancel := context.WithTimeout(context.Background(), installWithin)
		defer cancel()
		cmd := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(dir, name), ".")
		cmd.Dir = module
		cmd.Env = append(cmd.Environ(), "GOFLAGS=-buildvcs=false -mod=readonly", "GOWORK=off", "CGO_ENABLED=0")
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build of internal/peer/%s: %w\n%s", name, err, said)
		}
		return nil
	})
	return filepath.Join(dir, name), err
}
