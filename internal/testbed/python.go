//go:build testall

package testbed

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// What pip installs into each environment, pinned.
var (
	//go:embed requirements.txt
	requirements []byte
	//go:embed requirements-sam.txt
	samRequirements []byte
	//go:embed requirements-schemathesis.txt
	schemathesisRequirements []byte
)

// The interpreters of virtual environments of the repository's own. What the
// machine's Python happens to have is not used.
var (
	python             = sync.OnceValues(func() (string, error) { return pythonWith(requirements) })
	samPython          = sync.OnceValues(func() (string, error) { return pythonWith(samRequirements) })
	schemathesisPython = sync.OnceValues(func() (string, error) { return pythonWith(schemathesisRequirements) })
)

// pythonWith returns the interpreter of the environment with these packages.
func pythonWith(list []byte) (string, error) {
	own, err := program("python3", "Python 3.10 or newer, with venv")
	if err != nil {
		return "", err
	}
	dir, err := installed("python-"+shortHash(list), func(dir string) error { return installPython(own, dir, list) })
	if err != nil {
		return "", err
	}
	// No other program of the environment may be run: their first lines name
	// the folder where they were installed, and the folder has moved since.
	return inVenv(dir), nil
}

// Python returns an interpreter that has botocore, requests and Authlib.
func Python(t testing.TB) string {
	t.Helper()
	path, err := python()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// installPython takes the package index from the machine's own settings.
func installPython(own, dir string, packages []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	list := filepath.Join(dir, "requirements.txt")
	for _, line := range [][]string{
		{own, "-m", "venv", dir},
		{inVenv(dir), "-m", "pip", "install", "--quiet", "--no-deps", "--requirement", list},
	} {
		if err := os.WriteFile(list, packages, 0o644); err != nil {
			return err
		}
		if said, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s %s: %w\n%s", line[1], line[2], err, said)
		}
	}
	return nil
}

func inVenv(dir string) string { return filepath.Join(dir, "bin", "python") }
