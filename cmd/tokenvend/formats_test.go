package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// shellEnv runs a line of sh in an environment.
func shellEnv(t *testing.T, dir string, env []string, line string) ran {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ran{out.String(), errs.String(), clierror.Code(cmd.ProcessState.ExitCode())}
}

// shell runs a line of sh where PATH leads to the program.
func shell(t *testing.T, dir, line string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = dir, clean(dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sh -c %s = %v, want success: %s", line, err, out)
	}
	return string(out)
}

// Each format of a token is read by what it is for.
func TestGetFormatsForTheirReaders(t *testing.T) {
	s := demo(t, t.TempDir())
	token := strings.TrimSpace(tv(t, s.dir, "", "get", "minut").want(t, clierror.OK).out)
	for _, format := range []string{"token", "json"} {
		out := tv(t, s.dir, "", "get", "minut", "--format", format).want(t, clierror.OK).out
		if !strings.Contains(out, token) {
			t.Errorf("get --format %s = %s, want the token", format, out)
		}
	}

	headers := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		headers <- r.Header.Get("Authorization")
	}))
	defer server.Close()
	if _, err := exec.LookPath("curl"); err == nil {
		for _, line := range []string{
			"tokenvend get minut --format header | curl -sSf -H @- " + server.URL,
			`curl -sSf -H "$(tokenvend get minut --format header)" ` + server.URL,
		} {
			shell(t, s.dir, line) // fails the test where curl gets no answer
			if header := <-headers; header != "Bearer "+token {
				t.Errorf("%s sends the header %q, want Bearer and the token", line, header)
			}
		}
	}
	const line = `eval "$(tokenvend get minut --format env)"; sh -c 'printf %s "$MINUT_TOKEN"'`
	if got := shell(t, s.dir, line); got != token {
		t.Errorf("%s prints %q, want the token", line, got)
	}
}

// The schema of ExecCredential in client.authentication.k8s.io, without the
// client certificate: unknown fields are an error, as for kubectl.
func TestGetFormatExecCredential(t *testing.T) {
	s := demo(t, t.TempDir())
	var whole api.Token
	out := tv(t, s.dir, "", "get", "minut", "--json").want(t, clierror.OK).out
	if err := json.Unmarshal([]byte(out), &whole); err != nil {
		t.Fatal(err)
	}
	const v1, v1beta1 = "client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"
	for info, want := range map[string]string{"": v1, `{"apiVersion":"` + v1beta1 + `"}`: v1beta1} {
		r := tvEnv(
			t,
			s.dir,
			"",
			[]string{"KUBERNETES_EXEC_INFO=" + info},
			"get",
			"minut",
			"--format",
			"exec-credential",
		)
		var got struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Status     struct {
				ExpirationTimestamp time.Time `json:"expirationTimestamp"` // metav1.Time: RFC 3339
				Token               string    `json:"token"`
			} `json:"status"`
		}
		dec := json.NewDecoder(strings.NewReader(r.want(t, clierror.OK).out))
		dec.DisallowUnknownFields()
		err := dec.Decode(&got)
		until := got.Status.ExpirationTimestamp
		if err != nil || got.APIVersion != want || got.Kind != "ExecCredential" ||
			got.Status.Token != whole.AccessToken ||
			until.Before(time.Now()) ||
			until.After(whole.ExpiresAt) {
			t.Errorf(
				"get --format exec-credential = %+v, %v, want %s and the token until it is renewed",
				got,
				err,
				want,
			)
		}
	}
	wrong := []string{`KUBERNETES_EXEC_INFO={"apiVersion":"client.authentication.k8s.io/v9"}`}
	tvEnv(
		t,
		s.dir,
		"",
		wrong,
		"get",
		"minut",
		"--format",
		"exec-credential",
	).want(t, clierror.BadUsage, "KUBERNETES_EXEC_INFO")
	tv(t, s.dir, "", "get", "minut", "--format", "xml").want(t, clierror.BadUsage,
		"--format: expected token, header, json, env or exec-credential")
	tv(
		t,
		s.dir,
		"",
		"get",
		"minut",
		"--format",
		"env",
		"--json",
	).want(t, clierror.BadUsage, "expected one of --format and --json")
}

func TestExecWithSeveralCredentials(t *testing.T) {
	s := demo(t, t.TempDir())
	minut := tv(t, s.dir, "", "get", "minut").want(t, clierror.OK).out
	monta := tv(t, s.dir, "", "get", "monta").want(t, clierror.OK).out
	for _, args := range [][]string{
		{"exec", "minut,monta", "sh", "-c", `echo "$MINUT_TOKEN"; echo "$MONTA_TOKEN"`},
		{"exec", "minut,monta", "--", "sh", "-c", `echo "$MINUT_TOKEN"; echo "$MONTA_TOKEN"`},
		{"exec", "--min-ttl", "1m", "minut,monta", "--", "sh", "-c", `echo "$MINUT_TOKEN"; echo "$MONTA_TOKEN"`},
	} {
		if r := tv(t, s.dir, "", args...).want(t, clierror.OK); r.out != minut+monta {
			t.Errorf("%q prints %q, want both tokens", args, r.out)
		}
	}
	tv(t, s.dir, "", "exec", "a-b,a_b", "env").want(t, clierror.BadUsage, "the same variable, A_B_TOKEN")
	tv(t, s.dir, "", "exec", "minut", "--min-ttl", "1m", "env").want(t, clierror.BadUsage, "stand before NAME")
}

// Every command that prints data prints the same data in each format.
func TestOutputFormats(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "get", "movemint").want(t, clierror.OK)
	for _, args := range [][]string{
		{"ls"}, {"status", "movemint"}, {"verify", "movemint"}, {"accept", "movemint"}, {"doctor"}, {"version"},
		{"revoke", "movemint"}, {"renew", "movemint"},
	} {
		t.Run(args[0], func(t *testing.T) {
			if tv(t, s.dir, "", args...).want(t, clierror.OK).out == "" {
				t.Errorf("%q prints nothing, want a table", args)
			}
			if args[0] == "renew" { // again, it would be refused for 30 seconds
				tv(t, s.dir, "", "revoke", "movemint").want(t, clierror.OK)
			}
			asYAML := tv(t, s.dir, "", append(args, "--output", "yaml")...).want(t, clierror.OK).out
			if args[0] == "renew" {
				tv(t, s.dir, "", "revoke", "movemint").want(t, clierror.OK)
			}
			asJSON := tv(t, s.dir, "", append(args, "--output", "json")...).want(t, clierror.OK).out
			fromYAML, fromJSON := map[string]any{}, map[string]any{}
			if err := yaml.Unmarshal([]byte(asYAML), &fromYAML); err != nil || strings.HasPrefix(asYAML, "{") {
				t.Errorf("%q --output yaml = %s, want YAML: %v", args, asYAML, err)
			}
			if err := json.Unmarshal([]byte(asJSON), &fromJSON); err != nil {
				t.Errorf("%q --output json = %s, want JSON: %v", args, asJSON, err)
			}
			for field := range fromJSON {
				if _, has := fromYAML[field]; !has {
					t.Errorf("%q --output yaml has no %s, want all fields of the JSON", args, field)
				}
			}
		})
	}
	tv(t, s.dir, "", "ls", "--output", "xml").want(t, clierror.BadUsage, "--output: expected table, json or yaml")
}

func TestVerifyExitCodes(t *testing.T) {
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "verify", "movemint").want(t, clierror.Failed, "no token to verify", "tokenvend get movemint")
	tv(t, s.dir, "", "get", "movemint").want(t, clierror.OK)
	out := tv(t, s.dir, "", "verify", "movemint").want(t, clierror.OK).out
	if out != "movemint: the provider takes the token\n" {
		t.Errorf("verify movemint = %q, want that the provider takes the token", out)
	}
	tv(t, s.dir, "", "verify", "trackmania").want(t, clierror.Unsupported, "no request that proves a token")
	tv(t, s.dir, "", "verify", "nosuch").want(t, clierror.NotFound)
	tv(t, s.dir, "", "verify", "movemint", "--account", "\x01").want(t, clierror.BadUsage)
}

// The same scripts as cobra writes, and the names of the credentials.
func TestCompletion(t *testing.T) {
	s := demo(t, t.TempDir())
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		out := tv(t, s.dir, "", "completion", shell).want(t, clierror.OK).out
		if !strings.Contains(out, "tokenvend") || strings.Contains(out, `\x`) {
			t.Errorf("completion %s = %s, want a script without escapes", shell, out)
		}
	}
	tv(t, s.dir, "", "completion", "ksh").want(t, clierror.BadUsage, "expected bash, fish, powershell or zsh")
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"get", ""}, []string{"minut", "trackmania"}},
		{[]string{"exec", ""}, []string{"minut", "trackmania"}},
		{[]string{"rm", ""}, []string{"minut", "trackmania"}},
		{[]string{"get", "--format", ""}, []string{"exec-credential"}},
		{[]string{"ls", "--output", ""}, []string{"yaml"}},
		{[]string{"add", "x", "--provider", ""}, []string{"oauth2-post"}},
		{[]string{"help", ""}, []string{"serve"}},
		{[]string{"conn"}, []string{"connect"}},
	} {
		out := tv(t, s.dir, "", append([]string{"__complete"}, c.args...)...).want(t, clierror.OK).out
		for _, want := range c.want {
			if !strings.Contains("\n"+out, "\n"+want) {
				t.Errorf("completion of %q = %s, want %s", c.args, out, want)
			}
		}
	}
	if _, err := exec.LookPath("bash"); err == nil {
		shell(t, s.dir, `bash -n -c "$(tokenvend completion bash)"`)
	}
}

func TestManualPages(t *testing.T) {
	dir := t.TempDir()
	tv(t, dir, "", "man", dir+"/man1").want(t, clierror.OK)
	for _, name := range append([]string{""}, commands...) {
		page := dir + "/man1/tokenvend-" + name + ".1"
		if name == "" {
			page = dir + "/man1/tokenvend.1"
		}
		text, err := os.ReadFile(page)
		if err != nil || !strings.Contains(string(text), ".SH SYNOPSIS") {
			t.Errorf("man writes %s with %d bytes, %v, want a manual page", page, len(text), err)
		}
	}
	tv(t, dir, "", "man").want(t, clierror.BadUsage, "expected the folder")
}

func TestVersion(t *testing.T) {
	dir := t.TempDir()
	byFlag := tv(t, dir, "", "--version").want(t, clierror.OK).out
	byCommand := tv(t, dir, "", "version").want(t, clierror.OK).out
	if byFlag != byCommand || !strings.HasPrefix(byFlag, "tokenvend ") {
		t.Errorf("--version = %q and version = %q, want the same", byFlag, byCommand)
	}
	stamped := dir + "/stamped"
	build := exec.CommandContext(
		t.Context(),
		"go",
		"build",
		"-ldflags",
		"-X main.version=v9.8.7",
		"-o",
		stamped,
		".",
	)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build = %v, want success: %s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), stamped, "--version").Output()
	if err != nil || !strings.HasPrefix(string(out), "tokenvend v9.8.7 go") {
		t.Errorf("--version of a stamped program = %q, %v, want v9.8.7", out, err)
	}
}

func TestSuggestions(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ line, want string }{
		{"gte", "(get?): tokenvend help lists them"},
		{"conect x", "(connect?)"},
		{"help statsu", "(status?)"},
		{"ls --ouput json", "there is no flag --ouput (--output?): see tokenvend help ls"},
		{"get x --acount a", "(--account?)"},
		{"get x -json", "there is no flag -j; the names of flags stand after two hyphens"},
		{"xyzzyx", "there is no such command: tokenvend help lists them"},
	} {
		tv(t, dir, "", strings.Fields(c.line)...).want(t, clierror.BadUsage, c.want)
	}
}

// The exit codes in the help are those of docs/guide/operate.md.
func TestGuideHasTheExitCodes(t *testing.T) {
	guide, err := os.ReadFile("../../docs/guide/operate.md")
	must(t, err)
	help := tv(t, t.TempDir(), "", "help").want(t, clierror.OK).out
	for _, row := range clierror.Codes() {
		if want := "| " + row[0] + " | " + row[1] + " |\n"; !strings.Contains(string(guide), want) {
			t.Errorf("operate.md has no row %s", want)
		}
		if want := "  " + row[0] + "  " + row[1] + "\n"; !strings.Contains(help, want) {
			t.Errorf("help = %s, want it to have %s", help, want)
		}
	}
}
