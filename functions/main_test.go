// Package functions_test runs the two functions as Lambda does: their real bootstraps, fed with invocations, over stand-ins for AWS and the providers.
package functions_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var update = flag.Bool("update", false, "write the golden answers and docs/openapi.yaml anew")

// binaries is where this run's bootstraps are built.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tokenvend-functions-")
	if err == nil {
		err = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	binaries = dir
	defer func() { _ = os.RemoveAll(dir) }()
	return m.Run()
}

// build is one way to build a function.
type build struct {
	function string // vend or rotate
	race     bool   // with the race detector
	arch     string // "": this machine's
}

var builds sync.Map // of func() (string, error), by build: each is built once

// bootstrap returns the path of the function's program, built as the template's build does it.
func bootstrap(t testing.TB, b build) string {
	t.Helper()
	once, _ := builds.LoadOrStore(b, sync.OnceValues(b.run))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (b build) run() (string, error) {
	path := filepath.Join(binaries, fmt.Sprintf("%s-%t-%s", b.function, b.race, b.arch), "bootstrap")
	args := []string{"build", "-tags", "lambda.norpc,nethttpomithttp2", "-trimpath", "-ldflags", "-s -w", "-o", path}
	env := []string{"CGO_ENABLED=0"}
	switch {
	case b.race:
		args, env = append(args, "-race"), []string{"CGO_ENABLED=1"}
	case b.arch != "":
		env = append(env, "GOOS=linux", "GOARCH="+b.arch)
	}
	cmd := exec.Command("go", append(args, "./"+b.function)...)
	cmd.Env = append(os.Environ(), env...)
	if said, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", b.function, err, said)
	}
	return path, nil
}
