package local

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
)

// commandLine returns how an operator runs a command of this program.
func (c Config) commandLine(command string) string {
	if c.CommandLine == nil {
		return "tokenvend " + command
	}
	return c.CommandLine(command)
}

// maxLines is how many credentials are shown at the start.
const maxLines = 20

// announce writes where the server is: to the data folder for programs, to the
// log, and to the output for users.
func (h *server) announce(ctx context.Context) error {
	url := urlOf(h.front.listener)
	key := h.signers.operator
	info := ServerInfo{URL: url, Region: h.region(), KeyID: key.ID, Secret: key.Secret}
	if err := info.write(h.data()); err != nil {
		return err
	}
	h.serverInfoWritten = true
	h.log().LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("url", url), slog.String("data", h.data()))
	if !isLoopback(h.front.listener) {
		h.log().LogAttrs(ctx, slog.LevelWarn, "no TLS", slog.String("detail",
			"tokens travel in the clear to whoever is not on this machine: put a TLS proxy in front, or listen on loopback"))
	}
	for _, open := range h.opened() {
		h.log().LogAttrs(ctx, slog.LevelWarn, "opened", slog.String("detail", open))
	}
	text, err := h.welcome(ctx, url)
	if err != nil {
		return err
	}
	_, err = h.out().Write([]byte(text))
	return err
}

// welcome returns what a user reads at the start.
func (h *server) welcome(ctx context.Context, url string) (string, error) {
	listed, err := h.source.List(ctx)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "tokenvend listens on %s; Ctrl-C ends it.\n\n", url)
	for i, l := range listed {
		if i == maxLines {
			fmt.Fprintf(&b, "… and %d more\n", len(listed)-i)
			break
		}
		fmt.Fprintf(&b, "curl -s --aws-sigv4 \"aws:amz:%s:execute-api\" --user \"%s\" %s/tokens/%s\n",
			h.region(), h.signers.user, url, l.Name)
	}
	if len(listed) == 0 {
		fmt.Fprintf(&b, "There is no credential yet. %s puts one into %s; "+
			"no restart is needed.\n", h.commandLine("add NAME --provider PROVIDER"),
			filepath.Join(h.data(), credentialFolder))
	}
	if h.control != nil {
		fmt.Fprintf(&b, demoHints, urlOf(h.control.listener),
			h.commandLine("connect trackmania --account alice"),
			h.commandLine("get trackmania --account alice"))
	}
	return b.String(), nil
}

// demoHints suggests what to try in a demo.
const demoHints = `
The providers are simulated. Take one down, and its living token is vended all the same:
  curl -X PUT %[1]s/providers/minut/fault -d '{"down":true}'
  curl -X DELETE %[1]s/providers/minut/fault
Connect a person's account, in a browser, and get a token by that grant:
  %[2]s
  %[3]s
See what they have been asked, and what else they can do:
  curl %[1]s/stats
  curl %[1]s
`
