package server

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/agent/unixsocket"
	"github.com/tokenvend/tokenvend/pkg/local/httpserver"
	"github.com/tokenvend/tokenvend/pkg/loopback"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// agentAddresses is where the agent listens.
type agentAddresses struct {
	listen  string // a loopback address, or noListen
	socket  string // the path of a unix socket; "": none
	keyFile string // for listen; "": keyName in the home directory
	keepKey bool
}

// keyName is the name of the key's file in the home directory.
const keyName = ".tokenvend-agent-key"

// noListen is the value of --listen for none.
const noListen = "none"

// agentListener is an address of the agent that is open.
type agentListener struct {
	server  *httpserver.Server
	handler http.Handler
	text    string // about it, for the operator
}

// agentCallTime is how long a call of the agent may take.
const agentCallTime = 35 * time.Second

// open opens the addresses that the flags name. Those that are open when it
// fails are returned with the error.
func (a agentAddresses) open(tokens *agent.Agent, log *slog.Logger) ([]agentListener, error) {
	var open []agentListener
	if a.listen != noListen {
		l, err := a.openLoopback(tokens, log)
		if err != nil {
			return open, err
		}
		open = append(open, l)
	}
	if a.socket != "" {
		l, err := unixsocket.Listen(a.socket)
		if err != nil {
			return open, fmt.Errorf("--socket: %w", err)
		}
		open = append(open, agentListener{
			httpserver.New(l, agentCallTime, log), tokens.Handler(),
			"The agent listens on the unix socket " + a.socket + ".",
		})
	}
	return open, nil
}

func (a agentAddresses) openLoopback(tokens *agent.Agent, log *slog.Logger) (agentListener, error) {
	host, _, err := net.SplitHostPort(a.listen)
	if err != nil || !loopback.IsHost(host) {
		return agentListener{}, clierror.Usage(
			"--listen: expected a loopback address, as in 127.0.0.1:2774, or %s", noListen)
	}
	path, err := a.keyPath()
	if err != nil {
		return agentListener{}, err
	}
	l, err := httpserver.Listen(a.listen, "--listen")
	if err != nil {
		return agentListener{}, err
	}
	server := httpserver.New(l, agentCallTime, log)
	key, err := a.makeKey(path)
	if err != nil {
		server.Stop(0)
		return agentListener{}, fmt.Errorf("--key-file: %w", err)
	}
	text := fmt.Sprintf("The agent listens on %s; its key is in %s.", server.URL(), path)
	return agentListener{server, agent.Guard(key, tokens.Handler()), text}, nil
}

// makeKey makes a key and writes it into a file. With --keep-key, the key of a
// file that is this user's alone is used instead.
func (a agentAddresses) makeKey(path string) (redact.String, error) {
	if a.keepKey {
		text, err := private.Owners{}.ReadSecret(path)
		if key := strings.TrimSpace(string(text)); err == nil && len(key) >= minKey {
			return redact.New(key), nil
		} else if err == nil {
			return redact.String{}, fmt.Errorf("%s: expected %d characters or more: remove the file", path, minKey)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return redact.String{}, err
		}
	}
	key := rand.Text()
	return redact.New(key), private.ReplaceFile(path, []byte(key))
}

// minKey is the shortest key that is used.
const minKey = 20

// keyPath returns the file of the key.
func (a agentAddresses) keyPath() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil && a.keyFile == "" {
		return "", clierror.Usage("--key-file is needed: there is no home directory")
	}
	return cmp.Or(a.keyFile, filepath.Join(home, keyName)), nil
}
