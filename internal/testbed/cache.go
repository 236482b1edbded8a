package testbed

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// installWithin is how long an installation may take, however slow the line.
const installWithin = 10 * time.Minute

// installed returns the folder .cache/testbed/name of the repository, filled by
// install where it is not there yet. The name says which version it holds:
// another one gets another folder. Where several test binaries install at once,
// the first to finish wins, and the others use what it made. So install must
// not write its folder's path into what it makes.
func installed(name string, install func(dir string) error) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	cache := filepath.Join(root, ".cache", "testbed")
	dir := filepath.Join(cache, name)
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	fresh, err := os.MkdirTemp(cache, "installing-")
	if err != nil {
		return "", err
	}
	err = install(fresh)
	if err == nil {
		err = os.Rename(fresh, dir)
	}
	if err == nil {
		return dir, nil
	}
	err = errors.Join(err, os.RemoveAll(fresh))
	if _, gone := os.Stat(dir); gone == nil {
		return dir, nil
	}
	return "", fmt.Errorf("testbed: installing %s: %w", name, err)
}

// repository is the folder of the nearest go.mod above the test's working
// directory.
func repository() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("testbed: no go.mod above the test's working directory: %w", fs.ErrNotExist)
		}
	}
	return "", err
}

// program finds a program, or says what to install.
func program(name, install string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("testbed: %s is not on this machine: install %s, then run the tests again", name, install)
	}
	return path, nil
}

// shortHash names one version of what is installed.
func shortHash(parts ...[]byte) string {
	sum := sha256.Sum256(bytes.Join(parts, []byte{0}))
	return hex.EncodeToString(sum[:8])
}
