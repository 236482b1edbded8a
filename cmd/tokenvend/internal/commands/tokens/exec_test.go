package tokens

import (
	"go/build"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestVariable(t *testing.T) {
	for name, want := range map[string]string{
		"minut": "MINUT_TOKEN", "monta-eu": "MONTA_EU_TOKEN", "3com": "_3COM_TOKEN",
	} {
		if got := variable(name); got != want {
			t.Errorf("variable(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestWithVariable(t *testing.T) {
	before := []string{"A=1", "X_TOKEN=old", "x_token=lower", "X_TOKENS=other", "X_TOKEN", "=C:=C:\\", "X_TOKEN=older"}
	for fold, want := range map[bool]string{
		false: "A=1 x_token=lower X_TOKENS=other =C:=C:\\ X_TOKEN=new",
		true:  "A=1 X_TOKENS=other =C:=C:\\ X_TOKEN=new",
	} {
		if got := strings.Join(withVariable(before, "X_TOKEN", "new", fold), " "); got != want {
			t.Errorf("withVariable(%q, fold %t) = %s, want %s", before, fold, got, want)
		}
	}
}

// Of the systems of a release, Windows alone has no call that replaces a
// process: syscall.Exec is there, and always fails.
func TestExecRunsTheCommandOnWindows(t *testing.T) {
	windows := build.Default
	windows.GOOS = "windows"
	for _, dir := range []string{".", filepath.Join("..", "..", "terminal")} {
		found, err := windows.ImportDir(dir, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range found.GoFiles {
			source, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(source), "syscall.Exec(") {
				t.Errorf("%s calls syscall.Exec on Windows, want a command that is run", name)
			}
		}
	}
}

func TestSplitExec(t *testing.T) {
	for _, c := range []struct{ args, names, line string }{
		{"minut env", "minut", "env"},
		{"minut -- env", "minut", "env"},
		{"minut sh -c x", "minut", "sh -c x"},
		{"minut,monta git log -- path", "minut monta", "git log -- path"},
		{"minut -- -odd", "minut", "-odd"},
	} {
		names, line, err := splitExec(strings.Fields(c.args))
		if err != nil || !slices.Equal(names, strings.Fields(c.names)) || !slices.Equal(line, strings.Fields(c.line)) {
			t.Errorf("splitExec(%s) = %q, %q, %v, want %s and %s", c.args, names, line, err, c.names, c.line)
		}
	}
	for args, want := range map[string]string{
		"":                      "expected NAME and COMMAND",
		"minut":                 "expected NAME and COMMAND",
		"minut --":              "expected NAME and COMMAND",
		"minut --scope x -- sh": "stand before NAME",
		"a-b,a_b env":           "a-b and a_b are the same variable, A_B_TOKEN",
		"a,a env":               "a and a are the same variable",
		"a,, env":               "expected a credential's name",
		"A env":                 "expected a credential's name",
	} {
		if _, _, err := splitExec(strings.Fields(args)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("splitExec(%s) = %v, want %q", args, err, want)
		}
	}
}

func TestExecVersion(t *testing.T) {
	for info, want := range map[string]string{
		"": "client.authentication.k8s.io/v1",
		`{"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential"}`: "client.authentication.k8s.io/v1beta1",
		`{"apiVersion":"client.authentication.k8s.io/v1alpha1"}`:                        "",
		`{`: "",
	} {
		if got, err := execVersion(info); got != want || (err != nil) != (want == "") {
			t.Errorf("execVersion(%s) = %q, %v, want %q", info, got, err, want)
		}
	}
}
