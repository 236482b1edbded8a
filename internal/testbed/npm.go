//go:build testall

package testbed

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// installWithin is how long an installation may take, however slow the line.
const installWithin = 10 * time.Minute

// nodeJS is what has to be on the machine for servers from npm.
const nodeJS = "Node.js 20 or newer, with npm"

// npmInstalled returns a folder with the node_modules that manifest and lock
// pin.
func npmInstalled(name string, manifest, lock []byte) (string, error) {
	return installed(name+"-"+shortHash(manifest, lock), func(dir string) error {
		for file, content := range map[string][]byte{"package.json": manifest, "package-lock.json": lock} {
			if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
				return err
			}
		}
		return npm(dir, "ci", "--ignore-scripts")
	})
}

// Node returns the path of Node.js, and a folder with the node_modules that the
// package.json and package-lock.json of a folder pin.
func Node(t testing.TB, name, folder string) (node, installed string) {
	t.Helper()
	node, err := program("node", nodeJS)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	lock, err := os.ReadFile(filepath.Join(folder, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if installed, err = npmInstalled(name, manifest, lock); err != nil {
		t.Fatal(err)
	}
	return node, installed
}

// npm runs in dir. It takes the registry from the machine's own settings.
func npm(dir string, args ...string) error {
	path, err := program("npm", nodeJS)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(args, "--no-audit", "--no-fund", "--loglevel=error")...)
	cmd.Dir = dir
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm %s: %w\n%s", args[0], err, said)
	}
	return nil
}

// shortHash names one version of what is installed.
func shortHash(parts ...[]byte) string {
	sum := sha256.Sum256(bytes.Join(parts, []byte{0}))
	return hex.EncodeToString(sum[:8])
}
