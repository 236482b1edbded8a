//go:build testall

// Package clients_test runs the tests of the packages for callers in other
// languages, against the real one-machine server and the real agent.
package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// program is cmd/tokenvend, built once.
var program string

func TestMain(m *testing.M) { os.Exit(built(m)) }

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tokenvend-clients-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if program, err = testbed.BuildProgram(dir); err != nil {
		panic(err)
	}
	return m.Run()
}

// environment names a demo to the tests of a package.
func environment(t *testing.T) []string {
	t.Helper()
	d := testbed.StartDemo(t, program, "minut", "monta")
	return append(d.Environment(),
		"TOKENVEND_TEST_URL="+d.URL, "TOKENVEND_TEST_AGENT="+d.Agent, "TOKENVEND_TEST_SOCKET="+d.Socket,
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_REGION=us-east-1",
		"AWS_DEFAULT_REGION=us-east-1")
}

// run runs a program in a folder, which must succeed.
func run(t *testing.T, dir string, env []string, line ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v = %v, want success:\n%s", line, err, out)
	}
}

func TestPython(t *testing.T) {
	t.Parallel()
	env := append(environment(t), "PYTHONDONTWRITEBYTECODE=1", "PYTHONWARNINGS=error::SyntaxWarning")
	run(t, "python", env, testbed.Python(t), "-m", "unittest", "tests.test_tokenvend", "tests.test_real")
}

func TestJavaScript(t *testing.T) {
	t.Parallel()
	node, installed := testbed.Node(t, "client-js", "js")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("js")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(installed, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	run(t, dir, environment(t), node, "--test", "test/")
}
