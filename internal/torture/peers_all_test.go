//go:build testall

package torture_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/internal/testworld"
)

// peers returns the libraries of other languages, each in a process for its
// language.
func peers(t *testing.T, trust authority) []contender {
	t.Helper()
	certificate := filepath.Join(t.TempDir(), "certificate.pem")
	testworld.Must(t, os.WriteFile(certificate, trust.pem, 0o600))
	source := func(name string) string {
		text, err := os.ReadFile(filepath.Join("driver", name))
		testworld.Must(t, err)
		return string(text)
	}
	node, modules := testbed.Node(t, "examples-oauth2", npmFolder)
	java, classpath := testbed.Java(t, "torture", javaFolder)
	python := startDriver(t, driverCommand{
		line: []string{testbed.Python(t), "-c", source("python.py")}, env: "REQUESTS_CA_BUNDLE=" + certificate,
	})
	script := startDriver(t, driverCommand{
		line:   []string{node, "--input-type=module", "--eval", source("node.mjs")},
		folder: modules, env: "NODE_EXTRA_CA_CERTS=" + certificate,
	})
	spring := startDriver(t, driverCommand{
		line: []string{java, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", classpath, "Driver", certificate},
	})
	return []contender{
		python.contender("Authlib"), python.contender("requests-oauthlib"), python.contender("MSAL"),
		script.contender("openid-client"), script.contender("simple-oauth2"), spring.contender("Spring Security"),
	}
}

// contender returns a library of the driver's language.
func (d *driver) contender(library string) contender {
	return contender{
		name: library, few: true,
		start: func(s *scene) func() instance {
			c := client{
				Library: library, ID: clientID, Secret: clientSecret, Basic: s.row.basic,
				TokenURL: "https://" + s.login.address() + "/token", Issuer: metadata(s),
				Timeout: int(s.requestTimeout().Seconds()),
			}
			return func() instance { return d.instance(c) }
		},
		lacks: func(r row) bool {
			// To follow redirects is an option of the http.Client of x/oauth2.
			// MSAL sends a secret in the body alone.
			return r.careful || library == "MSAL" && r.basic
		},
	}
}

// metadata starts a server with the authority's metadata, which MSAL reads
// (OpenID Connect Discovery §4), and returns the issuer.
func metadata(s *scene) string {
	var at *site
	at = serve(s.t, s.trust.over, func(n int, w http.ResponseWriter, r *http.Request) {
		issuer := "https://" + at.address() + "/issuer" // MSAL wants a path
		text(http.StatusOK, fmt.Sprintf(
			`{"issuer":%q,"authorization_endpoint":%q,"token_endpoint":%q}`, issuer, issuer+"/authorize",
			"https://"+s.login.address()+"/token",
		))(n, w, r)
	})
	return "https://" + at.address() + "/issuer"
}
