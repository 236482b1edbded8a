//go:build testall

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// installed is the version that the test publishes.
var installed = module.Version{Path: "github.com/tokenvend/tokenvend", Version: "v0.0.1-install"}

// TestGoInstallFromModuleProxy installs the program as its users do, from the
// module's zip alone, outside every module and workspace.
func TestGoInstallFromModuleProxy(t *testing.T) {
	proxy := t.TempDir()
	publish(t, filepath.Join(proxy, filepath.FromSlash(installed.Path), "@v"))
	bin := t.TempDir()
	// -trimpath, so that what the test of the release has compiled is not
	// compiled again for other folders
	cmd := exec.Command("go", "install", "-trimpath", installed.Path+"/cmd/tokenvend@"+installed.Version)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(),
		"GOBIN="+bin, "GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw", "GOWORK=off", "CGO_ENABLED=0",
		"GOSUMDB=off", // the build of this test has verified the downloads by go.sum
		"GOPROXY=file://"+proxy+",file://"+downloads(t),
	)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go install: %v\n%s", err, out)
	}
	out, err := exec.Command(filepath.Join(bin, "tokenvend"), "version").Output()
	if err != nil || !strings.Contains(string(out), installed.Version) {
		t.Errorf("tokenvend version = %q, %v, want %s", out, err, installed.Version)
	}
}

// publish writes the module to a folder of a file proxy.
func publish(t *testing.T, folder string) {
	t.Helper()
	var archive bytes.Buffer
	if err := zip.Create(&archive, installed, moduleFiles(t)); err != nil {
		t.Fatal(err)
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		installed.Version + ".zip":  archive.Bytes(),
		installed.Version + ".mod":  goMod,
		installed.Version + ".info": []byte(`{"Version":"` + installed.Version + `","Time":"2026-01-01T00:00:00Z"}`),
		"list":                      []byte(installed.Version + "\n"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// moduleFiles returns the files of the module, as git knows them.
func moduleFiles(t *testing.T) (files []zip.File) {
	t.Helper()
	cmd := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.Lines(string(out)) {
		files = append(files, moduleFile(strings.TrimSpace(name)))
	}
	return files
}

// moduleFile is the name of a file in the module's zip.
type moduleFile string

func (f moduleFile) Path() string                 { return string(f) }
func (f moduleFile) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(root, string(f))) }
func (f moduleFile) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(root, string(f))) }

// downloads returns the folder where this machine's Go keeps the modules that
// it has downloaded. It has the form of a file proxy.
func downloads(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "cache", "download")
}
