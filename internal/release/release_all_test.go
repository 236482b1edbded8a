//go:build testall

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

var root = filepath.Join("..", "..")

// TestReleaseIsReproducible writes a release for this machine twice, looks into
// it, and compares. make release builds the programs of other platforms in the
// same way.
func TestReleaseIsReproducible(t *testing.T) {
	testbed.LookAtSources(t)
	one, two := written(t), written(t)
	for name, content := range one {
		if !bytes.Equal(content, two[name]) {
			t.Errorf("%s: two releases of the same sources differ", name)
		}
	}
	names := slices.Sorted(maps.Keys(one))
	archive := fmt.Sprintf("tokenvend_1.2.3_%s_%s.tar.gz", runtime.GOOS, runtime.GOARCH)
	want := []string{
		"SHA256SUMS", "template.json", archive, "tokenvend_1.2.3_modules.spdx.json", "tokenvend_1.2.3_oci.tar",
	}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("the release consists of %q, want %q", names, want)
	}
	checkSums(t, one)
	checkArchive(t, one[archive])
	checkImage(t, one["tokenvend_1.2.3_oci.tar"])
	checkModules(t, one["tokenvend_1.2.3_modules.spdx.json"])
}

// written writes a release for this machine and returns its files.
// template.json stands for what make package writes before.
func written(t *testing.T) map[string][]byte {
	t.Helper()
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "template.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := release{
		version: "v1.2.3", folder: folder, source: root, functions: folder,
		platforms: []platform{{runtime.GOOS, runtime.GOARCH}}, time: time.Unix(1e9, 0).UTC(), progress: os.Stderr,
	}
	if err := r.write(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if files[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func checkSums(t *testing.T, files map[string][]byte) {
	t.Helper()
	lines := 0
	for line := range strings.Lines(string(files[sumsFile])) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if got := fmt.Sprintf("%x", sha256.Sum256(files[name])); got != sum {
			t.Errorf("%s: %s has %s, want %s", sumsFile, name, sum, got)
		}
		lines++
	}
	if lines != len(files)-1 {
		t.Errorf("%s has %d lines, want %d", sumsFile, lines, len(files)-1)
	}
}

// checkArchive checks the archive for this machine: the program runs and knows
// its version, and the documents are there.
func checkArchive(t *testing.T, archive []byte) {
	t.Helper()
	files := untarred(t, uncompressed(t, archive))
	for _, name := range []string{
		"LICENSE", "README.md", "CHANGELOG.md", "docs/README.md", "docs/reference/cli.md",
		"man/man1/tokenvend.1", "man/man1/tokenvend-get.1",
		"completions/tokenvend.bash", "completions/tokenvend.fish", "completions/tokenvend.zsh",
		"completions/tokenvend.powershell",
	} {
		if len(files[name]) < 100 {
			t.Errorf("%s has %d bytes in the archive, want its text", name, len(files[name]))
		}
	}
	checkVersion(t, files["tokenvend"])
}

func checkVersion(t *testing.T, program []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokenvend")
	if err := os.WriteFile(path, program, 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "tokenvend v1.2.3 ") {
		t.Errorf("tokenvend version = %q, %v, want v1.2.3", out, err)
	}
}

// checkImage follows the layout from its index down to the program.
func checkImage(t *testing.T, archive []byte) {
	t.Helper()
	files := untarred(t, archive)
	blob := func(d v1.Descriptor) []byte {
		content := files["blobs/sha256/"+d.Digest.Encoded()]
		if digest.FromBytes(content) != d.Digest || int64(len(content)) != d.Size {
			t.Fatalf("blob %s is missing or another", d.Digest)
		}
		return content
	}
	var index v1.Index
	read(t, files[v1.ImageIndexFile], &index)
	if len(index.Manifests) != 1 || index.Manifests[0].Platform.Architecture != runtime.GOARCH {
		t.Fatalf("the index names %v, want one manifest for %s", index.Manifests, runtime.GOARCH)
	}
	var manifest v1.Manifest
	read(t, blob(index.Manifests[0]), &manifest)
	var config v1.Image
	read(t, blob(manifest.Config), &config)
	layer := uncompressed(t, blob(manifest.Layers[0]))
	if got := config.RootFS.DiffIDs[0]; got != digest.FromBytes(layer) {
		t.Errorf("diff id %s is not the layer's", got)
	}
	inside := untarred(t, layer)
	checkVersion(t, inside[strings.TrimPrefix(config.Config.Entrypoint[0], "/")])
	if n := bytes.Count(inside["etc/ssl/certs/ca-certificates.crt"], []byte("BEGIN CERTIFICATE")); n < 50 {
		t.Errorf("the image trusts %d certificates, want those of Mozilla", n)
	}
}

func checkModules(t *testing.T, document []byte) {
	t.Helper()
	var d spdxDocument
	read(t, document, &d)
	got := map[string]bool{}
	for _, p := range d.Packages {
		got[p.Name] = true
	}
	for _, name := range []string{installed.Path, "stdlib", "github.com/spf13/cobra", "go.etcd.io/bbolt"} {
		if !got[name] {
			t.Errorf("the list of modules lacks %s", name)
		}
	}
}

func read(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%v in %.200s", err, text)
	}
}

func uncompressed(t *testing.T, content []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func untarred(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	r := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := r.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}
