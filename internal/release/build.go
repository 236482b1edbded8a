package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// platform is an operating system and a processor, as Go names them.
type platform struct{ os, arch string }

// all are the platforms of a release.
var all = []platform{
	{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// program is the operator's program, built for a platform.
type program struct {
	platform
	path string
}

// name returns the file name of the program on its platform.
func (p platform) name() string {
	if p.os == "windows" {
		return "tokenvend.exe"
	}
	return "tokenvend"
}

// buildAll builds the operator's program for every platform.
func (r *release) buildAll(work string) (programs []program, err error) {
	for _, p := range r.platforms {
		built, err := r.build(work, p)
		if err != nil {
			return nil, err
		}
		programs = append(programs, built)
	}
	return programs, nil
}

// build builds the operator's program for one platform, once.
func (r *release) build(work string, p platform) (program, error) {
	path := filepath.Join(work, p.os+"_"+p.arch, p.name())
	if _, err := os.Stat(path); err == nil {
		return program{p, path}, nil
	}
	_, _ = fmt.Fprintf(r.progress, "building for %s/%s\n", p.os, p.arch)
	cmd := exec.Command(
		"go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -X main.version="+r.version,
		"-o", path, "./cmd/tokenvend",
	)
	cmd.Dir, cmd.Stderr = r.source, r.progress
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.os, "GOARCH="+p.arch)
	if err := cmd.Run(); err != nil {
		return program{}, fmt.Errorf("go build for %s/%s: %w", p.os, p.arch, err)
	}
	return program{p, path}, nil
}

// shells are the shells that cobra writes completions for.
var shells = []string{"bash", "fish", "powershell", "zsh"}

// documents returns what each archive holds beside the program: the pages of
// the repository, manual pages and completions. This machine's build writes the
// latter.
func (r *release) documents(work string) (files []file, err error) {
	host, err := r.build(work, platform{runtime.GOOS, runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	if files, err = r.pages(); err != nil {
		return nil, err
	}
	for _, shell := range shells {
		script, err := exec.Command(host.path, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("completion of %s: %w", shell, err)
		}
		files = append(files, file{name: "completions/tokenvend." + shell, content: script})
	}
	pages, err := r.manualPages(host, filepath.Join(work, "man"))
	return append(files, pages...), err
}

// manualPages returns the manual pages. Their date is the release's.
func (r *release) manualPages(host program, folder string) (files []file, err error) {
	cmd := exec.Command(host.path, "man", folder)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("manual pages: %w", err)
	}
	pages, err := filepath.Glob(filepath.Join(folder, "*.1"))
	if err != nil {
		return nil, err
	}
	for _, page := range pages { // sorted
		content, err := os.ReadFile(page)
		if err != nil {
			return nil, err
		}
		files = append(files, file{name: "man/man1/" + filepath.Base(page), content: content})
	}
	return files, nil
}
