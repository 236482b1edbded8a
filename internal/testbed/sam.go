//go:build testall

package testbed

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// SAM runs the SAM CLI in the repository, with further environment variables.
// No call of it may reach AWS.
func SAM(t testing.TB, env []string, args ...string) {
	t.Helper()
	python, err := samPython()
	if err != nil {
		t.Fatal(err)
	}
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{"-m", "samcli"}, args...)...)
	cmd.Dir = root
	cmd.Env = append(append(cmd.Environ(), env...), "SAM_CLI_TELEMETRY=0", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+filepath.Join(t.TempDir(), "none"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sam %v: %v\n%s", args, err, out)
	}
}
