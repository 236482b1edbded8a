package local

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// maxLines is how many credentials are shown at the start.
const maxLines = 20

// announce writes where the server is: to the data folder for programs, to the
// log, and to the output for users.
func (s *server) announce(ctx context.Context) error {
	key := s.keys.operator
	info := datafolder.ServerInfo{URL: s.api.URL(), Region: s.region(), KeyID: key.ID, Secret: key.Secret}
	if err := s.folder.WriteServerInfo(info); err != nil {
		return err
	}
	s.serverInfoWritten = true
	s.log().LogAttrs(ctx, slog.LevelInfo, "listening", slog.String("url", info.URL), slog.String("data", s.folder.Path))
	if !s.api.IsLoopback() {
		s.log().LogAttrs(ctx, slog.LevelWarn, "no TLS", slog.String("detail",
			"tokens reach other machines unencrypted: put a TLS proxy before the server, or listen on loopback"))
	}
	for _, text := range s.relaxations() {
		s.log().LogAttrs(ctx, slog.LevelWarn, "opened", slog.String("detail", text))
	}
	text, err := s.welcome(ctx)
	if err != nil {
		return err
	}
	_, err = s.out().Write([]byte(text))
	return err
}

// welcome returns what a user reads at the start.
func (s *server) welcome(ctx context.Context) (string, error) {
	listed, err := s.source.List(ctx)
	if err != nil {
		return "", err
	}
	url := s.api.URL()
	var b strings.Builder
	fmt.Fprintf(&b, "tokenvend listens on %s; Ctrl-C ends it.\n\n", url)
	for i, l := range listed {
		if i == maxLines {
			fmt.Fprintf(&b, "… and %d more\n", len(listed)-i)
			break
		}
		fmt.Fprintf(&b, "curl -s --aws-sigv4 \"aws:amz:%s:execute-api\" --user \"%s\" %s/tokens/%s\n",
			s.region(), s.keys.curlUser, url, l.Name)
	}
	if len(listed) == 0 {
		fmt.Fprintf(&b, "There is no credential yet. %s puts one into %s; no restart is needed.\n",
			s.commandLine("add NAME --provider PROVIDER"), s.folder.Credentials())
	}
	if s.demo != nil {
		fmt.Fprintf(&b, demoHints, s.demo.ControlURL(),
			s.commandLine("connect trackmania --account alice"),
			s.commandLine("get trackmania --account alice"))
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
