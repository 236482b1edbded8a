//go:build testall

package testbed

import (
	"context"
	"os/exec"
	"path/filepath"
	"testing"
)

// Schemathesis compares a server with an OpenAPI document, by the hooks.py and
// the schemathesis.toml of a folder, and returns what it printed. It talks to
// that server alone.
func Schemathesis(ctx context.Context, t testing.TB, folder, document string, args ...string) ([]byte, error) {
	t.Helper()
	python, err := schemathesisPython()
	if err != nil {
		t.Fatal(err)
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		t.Fatal(err)
	}
	line := append([]string{"-m", "schemathesis.cli", "--config-file", filepath.Join(folder, "schemathesis.toml"),
		"run", document}, args...)
	cmd := exec.CommandContext(ctx, python, line...)
	cmd.Dir = t.TempDir() // it keeps notes there
	cmd.Env = append(cmd.Environ(), "SCHEMATHESIS_HOOKS=hooks", "PYTHONPATH="+folder, "PYTHONDONTWRITEBYTECODE=1",
		"NO_PROXY=127.0.0.1")
	return cmd.CombinedOutput()
}
