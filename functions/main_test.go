// Package functions_test runs the two functions as Lambda does: it sends
// invocations to their real bootstraps, over stand-ins for AWS and the
// providers.
package functions_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

var update = flag.Bool("update", false, "write the golden answers and docs/reference/openapi.yaml")

// suite has the calls of both functions to AWS in this run, and forbidden those
// that were sent on purpose and must be denied.
var suite, forbidden testbed.Ledger

// binaries is where this run's bootstraps are built.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

// atOnce is how many tests run in parallel. They mostly wait, for leases and
// tokens to end.
const atOnce = "16"

func run(m *testing.M) int {
	if err := flag.Set("test.parallel", atOnce); err != nil { // before the command line, which may change it
		fmt.Println(err)
		return 1
	}
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
	code := m.Run()
	if flag.Lookup("test.run").Value.String()+flag.Lookup("test.skip").Value.String() != "" {
		return code // a part of the suite uses a part of the grants
	}
	return code | report()
}

// reportTo names a file, in the environment, for a copy of the gate's report.
const reportTo = "TOKENVEND_GATE_REPORT"

// report prints the calls of the whole suite to AWS. It fails if a permission
// of the template was not used.
func report() (code int) {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Values(logical)) {
		fmt.Fprintf(&all, "%s\n\tforbidden calls sent on purpose and denied: %d\n", suite.Report(name),
			len(forbidden.Denied(name)))
		code |= min(1, len(suite.Unused(name))+len(suite.Denied(name)))
	}
	fmt.Print(all.String())
	if file := os.Getenv(reportTo); file != "" {
		if err := os.WriteFile(file, []byte(all.String()), 0o644); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	return code
}

// build is one way to build a function.
type build struct {
	function string // vend or rotate
	race     bool   // with the race detector
	arch     string // "": this machine's
	version  string // the stamped version; "": none
}

var builds sync.Map // of func() (string, error), by build: each is built once

// bootstrap returns the path of the function's program, built as the template's
// build does it.
func bootstrap(t testing.TB, b build) string {
	t.Helper()
	testbed.LookAtSources(t)
	once, _ := builds.LoadOrStore(b, sync.OnceValues(b.run))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func (b build) run() (string, error) {
	path := filepath.Join(binaries, fmt.Sprintf("%s-%t-%s-%s", b.function, b.race, b.arch, b.version), "bootstrap")
	flags := "-s -w"
	if b.version != "" {
		flags += " -X main.version=" + b.version
	}
	args := []string{"build", "-tags", "lambda.norpc,nethttpomithttp2", "-trimpath", "-ldflags", flags, "-o", path}
	env := []string{"CGO_ENABLED=0"}
	switch {
	case b.race:
		args, env = append(args, "-race"), []string{"CGO_ENABLED=1"}
	case b.arch != "":
		env = append(env, "GOOS=linux", "GOARCH="+b.arch, "GOARM64=v8.0,lse")
	}
	cmd := exec.Command("go", append(args, "./"+b.function)...)
	cmd.Env = append(os.Environ(), env...)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", b.function, err, output)
	}
	return path, nil
}
