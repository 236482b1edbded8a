//go:build testall

package peer_test

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// oauthServer describes a server that other authors wrote, and how a scenario
// goes there.
type oauthServer struct {
	start starter

	// Paths. One that is empty does not exist.
	token, authorize, revoke, verify string

	scope        string // of a user, with what a refresh token needs
	machineScope string // of client credentials
	usersOnly    bool   // verify takes no token of client credentials
	refuses      int    // the status of verify for a token that does not work; 0: 401

	// authorizeParams are parameters of the authorization request.
	authorizeParams parameters

	auths   []string // methods of client authentication, as a descriptor names them
	reuse   string   // what an old refresh token does, as a descriptor names it
	overlap string   // what a refresh does to the access token before it, as a descriptor names it
	forgets bool     // its tokens and grants do not survive a restart
	short   int      // the lifetime of short tokens, in seconds; 0: shortSeconds

	// refused are the names and secrets that no client can use there, by
	// "AUTH/CASE", and what the error says.
	refused map[string]string
	// absent are the scenarios that do not exist there, and why.
	absent map[string]string
}

// shortSeconds returns the lifetime of a short token.
func (s oauthServer) shortSeconds() int { return cmp.Or(s.short, shortSeconds) }

// parameters is a JSON object, also if it is nil.
type parameters map[string]string

// MarshalJSON implements [json.Marshaler].
func (p parameters) MarshalJSON() ([]byte, error) {
	if p == nil {
		return []byte("{}"), nil
	}
	return json.Marshal(map[string]string(p))
}

// starter starts a server with clients.
type starter func(*testing.T, []testbed.PeerClient) *running

// running is a server during a test.
type running struct {
	at            *url.URL
	transport     http.RoundTripper // that reaches it
	stop, restart func()
	accepts       func(access string) bool // nil: the path of verification answers
}

// servers are the OAuth servers by the names of their software.
var servers = map[string]oauthServer{
	"Keycloak": {
		start: ofPeer(testbed.Keycloak),
		token: "/realms/peers/protocol/openid-connect/token", authorize: "/realms/peers/protocol/openid-connect/auth",
		revoke: "/realms/peers/protocol/openid-connect/revoke",
		verify: "/realms/peers/protocol/openid-connect/userinfo",
		scope:  "openid", machineScope: "openid",
		auths: []string{"basic_encoded", "post"}, reuse: "revokes_family", overlap: "keeps", short: 12,
	},
	"Authlib": {
		start: ofPeer(testbed.Authlib), token: "/token", authorize: "/authorize", revoke: "/revoke", verify: "/me",
		scope: "read", machineScope: "read",
		auths: []string{"basic_encoded", "post"}, reuse: "refused", overlap: "keeps",
	},
	"@node-oauth/oauth2-server": {
		start: ofPeer(testbed.OAuth2Server), token: "/token", authorize: "/authorize", verify: "/me",
		scope: "read", machineScope: "read",
		auths: []string{"basic", "post"}, reuse: "refused", overlap: "keeps",
		refused: map[string]string{
			"basic/colon": "client_id: no colon: the provider takes Basic, which cannot carry one",
			"basic/all":   "client_id: no colon: the provider takes Basic, which cannot carry one",
			// RFC 6749 appendix A.1: a client_id is printable ASCII
			"basic/non-ASCII": "Invalid parameter: `client_id`",
			"post/non-ASCII":  "Invalid parameter: `client_id`",
			"post/all":        "Invalid parameter: `client_id`",
		},
		absent: map[string]string{"revocation": "the package has no revocation endpoint"},
	},
	"zitadel/oidc": {
		start: ofPeer(testbed.Zitadel), token: "/oauth/token", authorize: "/authorize", revoke: "/revoke",
		verify: "/userinfo", scope: "openid offline_access", machineScope: "read", refuses: http.StatusForbidden,
		auths: []string{"basic_encoded", "post"}, reuse: "refused", overlap: "revokes", forgets: true,
	},
	"ory/fosite": {
		start: ofPeer(testbed.Fosite), token: "/token", authorize: "/authorize", revoke: "/revoke", verify: "/me",
		scope: "read offline", machineScope: "read",
		auths: []string{"basic_encoded", "post"}, reuse: "revokes_family", overlap: "revokes", forgets: true,
	},
	"oidc-provider": {
		start: oidcProvider, token: "/token", authorize: "/auth", revoke: "/token/revocation", verify: "/me",
		scope: "openid offline_access", machineScope: "read", usersOnly: true,
		// without it, offline_access is ignored (OpenID Connect Core §11)
		authorizeParams: parameters{"prompt": "consent"},
		// RFC 6749 appendix A.1: a client_id is printable ASCII
		refused: map[string]string{
			"basic_encoded/non-ASCII": "not properly encoded", "basic_encoded/all": "not properly encoded",
			"post/non-ASCII": "invalid client_id value", "post/all": "invalid client_id value",
		},
		auths: []string{"basic_encoded", "post"}, reuse: "revokes_family", overlap: "keeps", forgets: true,
	},
	"League, simulated": {
		start: league, token: "/api/access_token", authorize: "/oauth/authorize",
		auths: []string{"post"}, reuse: "refused", overlap: "revokes",
		absent: map[string]string{"revocation": "league/oauth2-server has no revocation endpoint"},
	},
}

// ofPeer starts a server that speaks plain HTTP on this machine.
func ofPeer(start func(testing.TB, []testbed.PeerClient) *testbed.Peer) starter {
	return func(t *testing.T, clients []testbed.PeerClient) *running {
		return runningPeer(t, start(t, clients), nil)
	}
}

func runningPeer(t *testing.T, p *testbed.Peer, roots *x509.CertPool) *running {
	at, err := url.Parse(string(p.Endpoint()))
	testworld.Must(t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &running{at: at, transport: transport, stop: p.Stop, restart: func() { p.Restart(t) }}
}

// oidcProvider starts npm's oidc-provider, over TLS.
func oidcProvider(t *testing.T, clients []testbed.PeerClient) *running {
	var registered []testbed.OAuthClient
	for _, c := range clients {
		more := testbed.OAuthClient{"client_secret": c.Secret, "token_seconds": c.Seconds}
		if c.Redirect == "" {
			registered = append(registered, machine(c.ID, c.Auth, more))
			continue
		}
		both := app(c.ID, c.Auth, more)
		both["grant_types"] = []string{"client_credentials", "authorization_code", "refresh_token"}
		registered = append(registered, both)
	}
	authority := testbed.NewAuthority(t)
	return runningPeer(t, testbed.OIDCProvider(t, authority, registered...), authority.Roots())
}

// leagueName is the simulated provider that behaves as league/oauth2-server.
const leagueName = "trackmania"

// league simulates a server of league/oauth2-server, in PHP. All its access
// tokens live as long as the shortest. While it is stopped it drops
// connections.
func league(t *testing.T, clients []testbed.PeerClient) *running {
	life := time.Hour
	var known []simulator.Client
	for _, c := range clients {
		life = min(life, time.Duration(c.Seconds)*time.Second)
		known = append(known, simulator.Client{ID: c.ID, Secret: c.Secret, RedirectURIs: []string{c.Redirect}})
	}
	s := simulator.New(simulator.Options{
		Lifetime: life, Clients: map[string][]simulator.Client{leagueName: known},
	})
	set := func(down bool) func() {
		return func() {
			if err := s.SetFault(leagueName, simulator.Fault{Down: down}); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &running{
		at: &url.URL{Scheme: "https", Host: "api.trackmania.com"}, transport: s, stop: set(true), restart: set(false),
		accepts: func(access string) bool { return s.Accepts(leagueName, access) },
	}
}
