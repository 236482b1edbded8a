package main

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

func TestPack(t *testing.T) {
	program := []byte(strings.Repeat("program", 1000))
	packed, err := pack(program)
	if err != nil {
		t.Fatal(err)
	}
	again, err := pack(program)
	if err != nil || !bytes.Equal(packed, again) {
		t.Errorf("pack twice = other bytes, %v, want the same", err)
	}
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	if len(archive.File) != 1 || archive.File[0].Name != member || archive.File[0].Mode().Perm() != 0o755 {
		t.Fatalf("pack = %v, want an executable %s alone", archive.File, member)
	}
	file, err := archive.File[0].Open()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(file); err != nil || !bytes.Equal(got, program) {
		t.Errorf("pack holds %d bytes, %v, want the program", len(got), err)
	}
}

// mostBytes is the largest layer that is allowed: Lambda fetches it at a cold
// start.
const mostBytes = 6_000_000

func TestLayerIsSmall(t *testing.T) {
	testbed.LookAtSources(t)
	dir := t.TempDir()
	program, layer := filepath.Join(dir, "tokenvend-extension"), filepath.Join(dir, "layer.zip")
	cmd := exec.Command("go", "build", "-tags", "nethttpomithttp2", "-trimpath", "-ldflags", "-s -w",
		"-o", program, "../../cmd/tokenvend-extension")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build = %v\n%s", err, out)
	}
	if err := write(program, layer); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(layer)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the layer has %d bytes", info.Size())
	if info.Size() > mostBytes {
		t.Errorf("the layer has %d bytes, want at most %d", info.Size(), mostBytes)
	}
}

// The extension links no client of an AWS service, and nothing of the command
// line or of one machine.
func TestExtensionLinksLittle(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "../../cmd/tokenvend-extension").Output()
	if err != nil {
		t.Fatal(err)
	}
	for dependency := range strings.Lines(string(out)) {
		for _, other := range []string{
			"spf13", "yaml", "text/template", "golang.org/x/oauth2", "go.etcd.io", "aws-sdk-go-v2/config",
			"aws-sdk-go-v2/service/", "pkg/mint", "pkg/descriptor",
		} {
			if strings.Contains(dependency, other) {
				t.Errorf("go list -deps ./cmd/tokenvend-extension has %s, want nothing of %s", dependency, other)
			}
		}
	}
}
