//go:build testall

package testbed

import (
	_ "embed"
	"encoding/json"
	"strconv"
	"testing"
)

// What npm installs oidc-provider from, as dynalite's, and how it is set up.
var (
	//go:embed oauth/package.json
	oauthManifest []byte
	//go:embed oauth/package-lock.json
	oauthLock []byte
	//go:embed oauth/server.mjs
	oauthProgram string
)

// OAuthClient is what a server is told of one of its clients: metadata by their
// names in RFC 7591, and besides code_seconds (60) and token_seconds (600), how
// long codes and people's access tokens live.
type OAuthClient map[string]any

// OAuth starts npm's oidc-provider, a certified OAuth 2.0 server that nobody
// here wrote, for one test. It speaks TLS by the authority's certificate, and
// takes clients' certificates of that authority.
//
// It wants PKCE; it takes Basic in RFC 6749's form-encoded form alone; it
// answers any audience (RFC 8707) with a JWT of 300 seconds; each refresh
// brings another refresh token, and one that comes twice ends the grant.
// Anybody may log in under any name. GET /asked counts the token requests of
// each client.
func OAuth(t testing.TB, a *Authority, clients ...OAuthClient) Endpoint {
	t.Helper()
	return start(t, oidcProvider(t, a, clients))
}

// OIDCProvider is [OAuth] as a server that can be restarted. It forgets
// everything when it ends.
func OIDCProvider(t testing.TB, a *Authority, clients ...OAuthClient) *Peer {
	t.Helper()
	return startPeer(t, oidcProvider(t, a, clients))
}

func oidcProvider(t testing.TB, a *Authority, clients []OAuthClient) server {
	t.Helper()
	node, err := program("node", nodeJS)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := npmInstalled("oauth", oauthManifest, oauthLock)
	if err != nil {
		t.Fatal(err)
	}
	own := a.Issue(t, "127.0.0.1")
	settings, err := json.Marshal(map[string]any{
		"key": own.Key, "certificate": own.Certificate, "authority": a.Certificate, "clients": clients,
	})
	if err != nil {
		t.Fatal(err)
	}
	return server{
		name: "oidc-provider", dir: dir, env: []string{"TOKENVEND_TESTBED_OAUTH=" + string(settings)}, roots: a.Roots(),
		command: func(port int) []string {
			return []string{node, "--input-type=module", "--eval", oauthProgram, strconv.Itoa(port)}
		},
	}
}
