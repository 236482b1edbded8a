package functions_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// mostBytes is what a bootstrap may weigh: a larger one starts later.
const mostBytes = 9_000_000

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

func TestFunctionsHoldNothingOfTheOneMachine(t *testing.T) {
	t.Parallel()
	for function := range logical {
		out, err := exec.Command("go", "list", "-tags", "lambda.norpc,nethttpomithttp2", "-deps", "./"+function).Output()
		if err != nil {
			t.Fatal(err)
		}
		deps := strings.Fields(string(out))
		if !slices.Contains(deps, "github.com/tokenvend/tokenvend/pkg/boot") {
			t.Fatalf("%s does not even depend on boot", function)
		}
		for _, dep := range deps {
			for _, unwanted := range []string{
				"go.etcd.io/", "net/rpc", "testing", "aws-sdk-go-v2/config", "aws-sdk-go-v2/service/lambda", "pkg/provider/simulator", "pkg/local", "pkg/client", "pkg/testbed",
				"pkg/store/bolt", "pkg/store/memory", "pkg/credential/folder", "pkg/seal/keyfile", "tokenvend/cmd/", "golang.org/x/oauth2", "golang.org/x/term",
			} {
				if strings.Contains(dep, unwanted) && !strings.Contains(dep, "/internal/") {
					t.Errorf("%s holds %s", function, dep)
				}
			}
		}
	}
}
