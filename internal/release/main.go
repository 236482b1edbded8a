// Command release writes everything that a release consists of.
//
//	go run ./internal/release -version v1.2.3 dist
//
// builds the operator's program for every platform and writes to dist an
// archive for each, an image of containers, a list of the modules inside
// (SPDX) and SHA256SUMS of all files there. What make package has written to
// dist stays and is part of the release. The same sources, version, time and
// Go give the same bytes.
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

func main() {
	version := flag.String("version", "", "the version; empty: what git describes")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: release [-version VERSION] FOLDER")
		os.Exit(2)
	}
	r := release{
		version: *version, folder: flag.Arg(0), source: ".", functions: "bin", platforms: all, progress: os.Stderr,
	}
	if err := r.write(); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is a release that is written.
type release struct {
	version   string
	folder    string // gets the files
	source    string // the module's root folder
	functions string // the folder of the functions' programs and the extension's, as make builds them
	platforms []platform
	time      time.Time // of every file in every archive
	progress  *os.File
}

// write writes the files of the release.
func (r *release) write() error {
	if err := r.identify(); err != nil {
		return err
	}
	if err := os.MkdirAll(r.folder, 0o755); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	programs, err := r.buildAll(work)
	if err != nil {
		return err
	}
	documents, err := r.documents(work)
	if err != nil {
		return err
	}
	for _, p := range programs {
		if err := r.writeArchive(p, documents); err != nil {
			return err
		}
	}
	if err := r.writeImage(programs); err != nil {
		return err
	}
	if err := r.writeModules(programs); err != nil {
		return err
	}
	return writeSums(r.folder)
}

// identify fills in the version and the time where they are not set: what git
// describes, and SOURCE_DATE_EPOCH or else the time of the commit.
func (r *release) identify() error {
	if r.version == "" {
		described, err := r.git("describe", "--tags", "--always", "--dirty")
		if err != nil {
			return fmt.Errorf("%w; name the version: make release VERSION=v1.2.3", err)
		}
		r.version = described
	}
	if !r.time.IsZero() {
		return nil
	}
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		var err error
		if text, err = r.git("log", "-1", "--format=%ct"); err != nil {
			return fmt.Errorf("%w; set SOURCE_DATE_EPOCH to the time of the sources, in seconds since 1970", err)
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH: expected seconds since 1970: %w", err)
	}
	r.time = time.Unix(seconds, 0).UTC()
	return nil
}

func (r *release) git(args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = r.source
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSpace(string(out)), nil
}

// file returns the path of a file of the release: tokenvend_VERSION_suffix.
func (r *release) file(suffix string) string {
	return filepath.Join(r.folder, "tokenvend_"+strings.TrimPrefix(r.version, "v")+"_"+suffix)
}

// sumsFile has a line for each other file of a release, as sha256sum -c reads
// it.
const sumsFile = "SHA256SUMS"

// writeSums writes the file of checksums of a folder.
func writeSums(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var sums bytes.Buffer
	for _, e := range entries {
		if e.Name() == sumsFile {
			continue
		}
		if e.IsDir() {
			return errors.New(folder + " holds the folder " + e.Name() + ", which is no part of a release: make clean")
		}
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	return os.WriteFile(filepath.Join(folder, sumsFile), sums.Bytes(), 0o644)
}
