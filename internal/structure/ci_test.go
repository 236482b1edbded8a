package structure_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A finding fails the check whatever its text says. A database that cannot be
// fetched is recognised by govulncheck's exit status and the kind of its error.
func TestAttack25_FindingsFailWhateverTheySay(t *testing.T) {
	const fetching = "govulncheck: fetching vulnerabilities: "
	for name, c := range map[string]struct {
		out, err     string
		status, want int
		notRun       bool
	}{
		"nothing found": {"No vulnerabilities found.", "", 0, 0, false},
		"a finding":     {"Vulnerability #1: GO-2026-1", "", 3, 3, false},
		"a finding that says Forbidden": {
			"Vulnerability #1: net/http answers 403 Forbidden: dial tcp: no such host: connection refused: i/o timeout",
			"", 3, 3, false,
		},
		"a finding in an error's words":   {fetching + "no such host", "", 3, 3, false},
		"a finding, and an error's words": {"Vulnerability #1: GO-2026-1", fetching + "no such host", 3, 3, false},
		"no database": {
			"",
			fetching + `Get "https://vuln.go.dev/index/modules.json.gz": dial tcp: lookup vuln.go.dev: no such host`,
			1, 0, true,
		},
		"a database that says Forbidden": {"", fetching + "403 Forbidden", 1, 0, true},
		"no database, after a download": {
			"", "go: downloading golang.org/x/vuln v1.8.0\n" + fetching + "no such host", 1, 0, true,
		},
		"code that does not load": {"", "govulncheck: loading packages: Forbidden: " + fetching, 1, 1, false},
		"one error after another": {
			"", "govulncheck: loading packages: x\n" + fetching + "no such host", 1, 1, false,
		},
		"words of no database on its out":  {fetching + "no such host", "", 1, 1, false},
		"a wrong command line":             {"", fetching + "no such host", 2, 2, false},
		"a crash":                          {"", "panic: " + fetching + "Forbidden", 2, 2, false},
		"nothing said and an error status": {"", "", 1, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			fake := exec.Command(
				filepath.Join(root, ".ci", "vuln"),
				"sh",
				"-c",
				`printf '%s\n' "$1"; test -z "$2" || printf '%s\n' "$2" >&2; exit "$3"`,
				"govulncheck",
				c.out,
				c.err,
				string(rune('0'+c.status)),
			)
			out, err := fake.Output()
			status := 0
			if e, ok := errors.AsType[*exec.ExitError](err); ok {
				status = e.ExitCode()
			} else if err != nil {
				t.Fatal(err)
			}
			if notRun := strings.Contains(string(out), "NOT RUN"); status != c.want || notRun != c.notRun {
				t.Errorf(
					".ci/vuln of a govulncheck that exits with %d exited with %d and said NOT RUN: %t; want %d and %t\n%s",
					c.status,
					status,
					notRun,
					c.want,
					c.notRun,
					out,
				)
			}
		})
	}
}

var usedAction = regexp.MustCompile(`(?m)^ *- uses: (.*)$`)

// The forge's workflow runs .ci/run and nothing of its own. Its actions are
// named by commit: whoever may move a tag could change what runs.
func TestWorkflowRunsTheChecks(t *testing.T) {
	file := filepath.Join(root, ".github", "workflows", "ci.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), " .ci/run\n") {
		t.Errorf("%s = %s, want it to run .ci/run", file, text)
	}
	commit := regexp.MustCompile(`^actions/(checkout|setup-go)@[0-9a-f]{40} # v[0-9.]+$`)
	for _, action := range usedAction.FindAllStringSubmatch(string(text), -1) {
		if !commit.MatchString(action[1]) {
			t.Errorf("%s uses %s, want checkout or setup-go by commit, with its version", file, action[1])
		}
	}
}

var (
	pinned = regexp.MustCompile(`^[A-Za-z0-9_.-]+(\[[a-z,]+\])?==\S+( ; .*)? \\$`)
	hashed = regexp.MustCompile(`^    --hash=sha256:[0-9a-f]{64}( \\)?$`)
)

// pip installs the tests' Python packages by version and hash, including
// indirect ones.
func TestAttack25_PythonPackagesAreHashed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "internal", "testbed", "requirements.txt"))
	if err != nil {
		t.Fatal(err)
	}
	required, packages, hashes := false, 0, 0
	for _, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case line == "--require-hashes":
			required = true
		case pinned.MatchString(line):
			packages++
		case hashed.MatchString(line):
			hashes++
		default:
			t.Errorf("requirements.txt has %q, want NAME==VERSION and its hashes", line)
		}
	}
	if !required || packages < 20 || hashes < packages {
		t.Errorf(
			"requirements.txt has --require-hashes: %t, %d packages and %d hashes; want it, and a hash for each package",
			required,
			packages,
			hashes,
		)
	}
}
