//go:build testall

package docs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

const openAPI = "docs/reference/openapi.yaml"

// Redocly's linter, with its rules for documents of good quality, finds nothing
// in docs/reference/openapi.yaml.
func TestOpenAPIIsClean(t *testing.T) {
	t.Parallel()
	node, installed := testbed.Node(t, "redocly", "redocly")
	program, err := os.ReadFile(filepath.Join("redocly", "lint.js"))
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "lint.mjs") // beside the modules that it imports
	if err := os.Symlink(filepath.Join(installed, "node_modules"),
		filepath.Join(filepath.Dir(script), "node_modules")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, program, 0o600); err != nil {
		t.Fatal(err)
	}
	document, err := filepath.Abs(filepath.Join(root, openAPI))
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), node, script, document).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("lint(%s) = %s, %v, want no findings", openAPI, out, err)
	}
}

// The one-machine server keeps to docs/reference/openapi.yaml: Schemathesis
// sends requests that the document allows and such that it does not, and
// compares the answers with it.
func TestServerKeepsToOpenAPI(t *testing.T) {
	t.Parallel()
	program, err := testbed.BuildProgram(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := testbed.StartDemo(t, program, "trackmania")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	document, err := filepath.Abs(filepath.Join(root, openAPI))
	if err != nil {
		t.Fatal(err)
	}
	out, err := testbed.Schemathesis(ctx, t, "schemathesis", document, "--url", d.URL, "--max-examples", "3",
		"--seed", "1", "--no-color")
	if err != nil {
		t.Errorf("schemathesis run %s: %v, want no findings\n%s", openAPI, err, out)
	}
}
