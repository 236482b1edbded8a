//go:build testall

package testbed

import (
	_ "embed"
	"path/filepath"
	"strconv"
	"testing"
)

// What npm installs dynalite from. The lock file holds no registry's name: `npm
// install --package-lock-only --omit-lockfile-registry-resolved` keeps it so.
var (
	//go:embed package.json
	dynaliteManifest []byte
	//go:embed package-lock.json
	dynaliteLock []byte
)

var dynalite = share(func() (server, error) {
	node, err := program("node", nodeJS)
	if err != nil {
		return server{}, err
	}
	dir, err := npmInstalled("dynalite", dynaliteManifest, dynaliteLock)
	if err != nil {
		return server{}, err
	}
	return server{name: "dynalite", dir: dir, command: func(port int) []string {
		return []string{
			node, filepath.Join("node_modules", "dynalite", "cli.js"), "--host", "127.0.0.1", "--port",
			strconv.Itoa(port),
			"--createTableMs", "0", "--deleteTableMs", "0", "--updateTableMs", "0",
		}
	}}, nil
})

// Dynalite is a DynamoDB whose conditional writes are right in races, that
// hands back no item of a failed condition, and that knows neither transactions
// nor TTL. All tests of a binary share one: each makes its own tables.
func Dynalite(t testing.TB) Endpoint {
	t.Helper()
	return dynalite(t)
}
