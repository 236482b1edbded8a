//go:build testall

package peer_test

import (
	"flag"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
)

// TestMain lets more tests run at once than there are processors: they wait for
// servers and for the end of tokens.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "64"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// scenarios are what tokenvend does at every server.
var scenarios = map[string]func(*testing.T, *peer){
	"client credentials":   clientCredentials,
	"names and secrets":    namesAndSecrets,
	"wrong secret":         wrongSecret,
	"code with PKCE":       codeWithPKCE,
	"rotation":             rotation,
	"reuse":                reuse,
	"revocation":           revocation,
	"50 callers at expiry": callersAtExpiry,
}

// Lifetimes of access tokens, in seconds. Tests wait for the end of a short
// one.
const (
	longSeconds  = 600
	shortSeconds = 6
)

// peerSecret is the secret of clients that are not about their secret.
const peerSecret = "s%41+c:r/e t&="

// TestOAuthServersOfOtherAuthors runs each scenario at each server. A scenario
// that does not exist at a server has a reason in the table instead.
func TestOAuthServersOfOtherAuthors(t *testing.T) {
	for name, s := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for scenario, why := range s.absent {
				if scenarios[scenario] == nil || why == "" {
					t.Errorf("servers[%s].absent[%s] = %q, want a reason why a scenario does not exist", name, scenario, why)
				}
			}
			up := s.start(t, peerClients(s))
			ready := newPeer(t, s, up)
			if code := ready.tokenWithin(ready.putClient("long"), time.Minute); code != "" {
				t.Fatalf("the first token = %q, want one within a minute", code)
			}
			t.Run("all", func(t *testing.T) {
				for scenario, run := range scenarios {
					if s.absent[scenario] != "" {
						continue
					}
					t.Run(scenario, func(t *testing.T) {
						t.Parallel()
						run(t, newPeer(t, s, up))
					})
				}
			})
			t.Run("restart", func(t *testing.T) { restarted(t, newPeer(t, s, up)) })
		})
	}
}

// peerClients returns the clients of all scenarios.
func peerClients(s oauthServer) []testbed.PeerClient {
	client := func(id, secret, auth string, seconds int, redirect string) testbed.PeerClient {
		registered := map[string]string{
			"basic": "client_secret_basic", "basic_encoded": "client_secret_basic", "post": "client_secret_post",
		}
		return testbed.PeerClient{
			ID: id, Secret: secret, Auth: registered[auth], Seconds: seconds, Redirect: redirect,
		}
	}
	clients := []testbed.PeerClient{
		client("long", peerSecret, s.auths[0], longSeconds, testworld.RedirectURI),
		client("short", peerSecret, s.auths[0], s.shortSeconds(), testworld.RedirectURI),
	}
	for _, auth := range s.auths {
		for _, name := range slices.Sorted(maps.Keys(unusual)) {
			c := unusual[name]
			clients = append(clients, client(auth+c.id, c.secret, auth, longSeconds, ""))
		}
	}
	return clients
}
