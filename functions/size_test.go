package functions_test

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// mostBytes is the largest bootstrap that is allowed. A larger one starts
// later.
const mostBytes = 10_500_000

func TestBootstrapsAreSmall(t *testing.T) {
	t.Parallel()
	for function := range logical {
		info, err := os.Stat(bootstrap(t, build{function: function, arch: "arm64"}))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s for linux/arm64: %d bytes", function, info.Size())
		if info.Size() >= mostBytes {
			t.Errorf("%s for linux/arm64 has %d bytes, want fewer than %d", function, info.Size(), mostBytes)
		}
	}
}

// mostAtStart is how often a package of this module may allocate before main
// begins. Compiling a regular expression takes hundreds, and a quarter of a
// millisecond of every cold start.
const mostAtStart = 50

var initLine = regexp.MustCompile(`(?m)^init (github\.com/tokenvend/\S+) .* (\d+) allocs$`)

func TestPackagesAllocateLittleBeforeMain(t *testing.T) {
	t.Parallel()
	for function := range logical {
		p := testbed.NewRuntime(time.Second).Start(t, bootstrap(t, build{function: function}), "GODEBUG=inittrace=1")
		found := initLine.FindAllStringSubmatch(p.Output(), -1)
		if len(found) == 0 {
			t.Errorf("the output of %s has no line for a package, want GODEBUG=inittrace=1 to write them", function)
		}
		for _, line := range found {
			if n, _ := strconv.Atoi(line[2]); n > mostAtStart {
				t.Errorf("%s: %s allocates %d times before main, want %d at most", function, line[1], n, mostAtStart)
			}
		}
	}
}

func TestFunctionsLinkNoOneMachinePackage(t *testing.T) {
	t.Parallel()
	for function := range logical {
		out, err := exec.Command("go", "list", "-tags", "lambda.norpc,nethttpomithttp2", "-deps",
			"./"+function).Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, "github.com/tokenvend/tokenvend/pkg/boot") {
			t.Fatalf("go list -deps %s has no pkg/boot, want it", function)
		}
		for _, dep := range deps {
			for _, unwanted := range []string{
				"go.etcd.io/", "net/rpc", "testing", "aws-sdk-go-v2/config", "aws-sdk-go-v2/service/lambda",
				"pkg/provider/simulator", "pkg/local", "pkg/client", "internal/testbed",
				"pkg/store/bolt", "pkg/store/memory", "pkg/credential/folder", "pkg/seal/keyfile", "tokenvend/cmd/",
				"golang.org/x/oauth2", "golang.org/x/term",
			} {
				if strings.Contains(dep, unwanted) && !strings.Contains(dep, "/internal/") {
					t.Errorf("go list -deps %s has %s, want it not linked", function, dep)
				}
			}
		}
	}
}
