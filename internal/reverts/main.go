// Command reverts takes back the fix of each attack in turn, and each line of
// the table of refresh tokens, in memory or in a copy of the repository. It
// checks that the named test fails without it. A test that still passes shows
// nothing.
//
//	go run ./internal/reverts [-only 04]
//	go run ./internal/reverts -only grants
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// revert is one fix, and how it is taken back.
type revert struct {
	attack  string // as in the names of the tests; "grants": of the table
	fix     string // what is taken back, in words
	file    string
	old     string // stands once in the file
	without string // stands there without the fix
	test    string // in the folder of pkg
	pkg     string // "": that of the file
}

func main() {
	only := flag.String("only", "", `the attack whose fixes are taken back, as "04"; "": all`)
	flag.Parse()
	failed, tried := 0, 0
	for _, r := range slices.Concat(reverts, further, latest, ofGrants()) {
		if *only != "" && r.attack != *only {
			continue
		}
		tried++
		began := time.Now()
		if err := r.run(); err != nil {
			failed++
			fmt.Printf("%s  NOT SHOWN  %s: %v\n", r.attack, r.fix, err)
			continue
		}
		fmt.Printf("%s  shown by %s in %.0f s: %s\n", r.attack, r.test, time.Since(began).Seconds(), r.fix)
	}
	fmt.Printf("%d passed, %d failed\n", tried-failed, failed)
	if failed > 0 || tried == 0 {
		os.Exit(1)
	}
}

// run takes the fix back and returns an error unless the test fails then.
func (r revert) run() error {
	source, err := os.ReadFile(r.file)
	if err != nil {
		return err
	}
	if n := strings.Count(string(source), r.old); n != 1 {
		return fmt.Errorf("the text of the fix stands %d times in %s, want once", n, r.file)
	}
	dir, err := os.MkdirTemp("", "reverts")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pkg := r.pkg
	if pkg == "" {
		pkg = filepath.Dir(r.file)
	}
	args := []string{"test", "-count=1", "-timeout", "5m", "-run", "^" + r.test + "$", "./" + pkg}
	cmd := exec.Command("go", args...) // #nosec G204 -- of our own table
	changed := strings.Replace(string(source), r.old, r.without, 1)
	if filepath.Ext(r.file) == ".go" {
		err = r.overlay(cmd, dir, changed)
	} else {
		err = r.copied(cmd, dir, changed)
	}
	if err != nil {
		return err
	}
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return fmt.Errorf("%s passes without the fix", r.test)
	case !strings.Contains(string(out), "--- FAIL: "+r.test):
		return fmt.Errorf("%s did not run:\n%s", r.test, out)
	}
	return nil
}

// overlay has the go command take the changed file in the place of its own.
func (r revert) overlay(cmd *exec.Cmd, dir, changed string) error {
	at, err := filepath.Abs(r.file)
	if err != nil {
		return err
	}
	file, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {at: file}})
	if err != nil {
		return err
	}
	// By the environment, so that programs that a test builds have it too.
	cmd.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
	return os.WriteFile(overlay, text, 0o600)
}

// copied has the test run in a copy of what git tracks, with the changed file:
// a file that is not Go has no overlay.
func (r revert) copied(cmd *exec.Cmd, dir, changed string) error {
	tracked, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(tracked), "\x00"), "\x00") {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(name) // #nosec G304 -- a file of the repository
		if err != nil {
			return err
		}
		if name == r.file {
			text = []byte(changed)
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(to, text, info.Mode().Perm()); err != nil {
			return err
		}
	}
	cmd.Dir = dir
	return nil
}
