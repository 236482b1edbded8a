// Package smoke_test runs the script for an account on AWS against programs
// that answer as AWS should, and as it should not.
package smoke_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeAWS answers the calls of the script as a sound stack does.
const fakeAWS = `#!/bin/sh
case "$*" in
*ApiUrl*) echo https://abc123.execute-api.eu-north-1.amazonaws.com ;;
*VendFunctionName*) echo vend ;;
*TableName*) echo tokens ;;
*AccessLog*) echo /aws/vendedlogs/tokenvend/access ;;
*get-caller-identity*) echo 123456789012 ;;
*export-credentials*) echo 'export AWS_ACCESS_KEY_ID=admin AWS_SECRET_ACCESS_KEY=x' ;;
*assume-role\ *) printf 'caller\tx\ty\n' ;;
*"--qualifier admin --cli"*) echo None; echo '{}' >"$WORK" ;;
*"lambda invoke"*) echo Unhandled; for last; do case $last in /*) echo '{"errorType":"access_denied"}' >"$last" ;; esac; done ;;
*publish-version*) echo 3 ;;
*get-alias*) echo '$LATEST' ;;
*event-invoke-config*) echo 0 ;;
*describe-table*) echo ${PROTECTED:-True} ;;
*describe-continuous-backups*) echo ENABLED ;;
*get-item*) echo None ;;
*filter-log-events*) echo ${EVENT:-event-1} ;;
esac
`

// fakeCurl answers as the API does. The role of the trial may get one path.
const fakeCurl = `#!/bin/sh
for url; do :; done
case "$AWS_ACCESS_KEY_ID $* " in
*%2F*) printf 404 ;;
*%6d*) printf ${DECODED:-200} ;;
admin\ *|*"GET "*"/tokens/minut ") printf 200 ;;
*) printf 403 ;;
esac
`

func TestScript(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		fail []string // what it says of claims that do not hold
	}{
		{"a sound stack", nil, nil},
		{"other paths, no protection", []string{"DECODED=404", "PROTECTED=False"}, []string{
			"FAIL  an HTTP API hands over decoded paths: 404, expected 200",
			"FAIL  the table is protected: False, expected True",
		}},
		{"no log", []string{"EVENT=None"}, []string{"FAIL  the API's calls are in /aws/vendedlogs/tokenvend/access"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, err := run(t, c.env)
			if (err != nil) != (len(c.fail) > 0) || strings.Count(out, "FAIL") != len(c.fail) ||
				strings.Count(out, "pass  ")+len(c.fail) != 19 {
				t.Errorf("aws-smoke.sh: %v, want 19 claims of which %d fail:\n%s", err, len(c.fail), out)
			}
			for _, want := range c.fail {
				if !strings.Contains(out, want) {
					t.Errorf("aws-smoke.sh prints %s, want %q", out, want)
				}
			}
		})
	}
}

func run(t *testing.T, env []string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"aws": fakeAWS, "curl": fakeCurl} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("aws-smoke.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/bin/sh", script, "tokenvend", "minut")
	cmd.Env = append(env, "PATH="+dir+":"+os.Getenv("PATH"), "SMOKE_WAIT=0", "WORK=/dev/null")
	out, err := cmd.CombinedOutput()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), err
}
