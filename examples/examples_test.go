//go:build testall

// Package examples_test runs the examples against the real one-machine server,
// the real agent and the real Lambda extension.
package examples_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// program is cmd/tokenvend, extension cmd/tokenvend-extension, built once.
var program, extension string

func TestMain(m *testing.M) { os.Exit(built(m)) }

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tokenvend-examples-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if program, err = testbed.BuildProgram(dir); err != nil {
		panic(err)
	}
	extension = filepath.Join(dir, "tokenvend-extension")
	out, err := exec.Command("go", "build", "-o", extension, "../cmd/tokenvend-extension").CombinedOutput()
	if err != nil {
		panic(string(out))
	}
	return m.Run()
}

// demo starts a server, and an agent of minut.
func demo(t *testing.T) *testbed.Demo {
	t.Helper()
	return testbed.StartDemo(t, program, "minut")
}

// token returns minut's token, as the agent gives it.
func token(t *testing.T, d *testbed.Demo) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.Agent+"/authorization/minut", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Tokenvend-Agent-Key", d.Key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("GET /authorization/minut = %s %s, %v, want a token", answer.Status, text, err)
	}
	return strings.TrimPrefix(string(text), "Bearer ")
}

// output runs a program, which must succeed, and returns what it prints.
func output(t *testing.T, env []string, line ...string) string {
	t.Helper()
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Env, cmd.Stderr = env, &errs
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%v = %v, want success:\n%s%s", line, err, out, errs.String())
	}
	return strings.TrimSpace(string(out))
}

// configured returns a copy of an example's file in which texts are replaced,
// such as paths that a test cannot use. Each must be there.
func configured(t *testing.T, file string, replacements ...string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := string(text)
	for i := 0; i < len(replacements); i += 2 {
		if !strings.Contains(changed, replacements[i]) {
			t.Fatalf("%s has no %q, want it there", file, replacements[i])
		}
		changed = strings.ReplaceAll(changed, replacements[i], replacements[i+1])
	}
	path := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// awaitFile waits until the agent has written a file.
func awaitFile(t *testing.T, path string) {
	t.Helper()
	for range 2000 {
		if _, err := os.Stat(path); err == nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("Stat(%s) after 10 s = no file, want one", path)
}

// api is an API that takes one token alone.
func api(t *testing.T, want string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+want {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, "ok "+r.URL.Path)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

const accepted = "ok /users/me"

// The lines of the README for an agent print a token.
func TestReadmeLines(t *testing.T) {
	page, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```bash test=TestReadmeLines\n")
	block, _, found := strings.Cut(after, "```\n")
	lines := strings.Split(strings.TrimSpace(block), "\n")
	if !found || len(lines) != 4 {
		t.Fatalf("README.md has %d lines in its block of bash, want 4", len(lines))
	}
	d := demo(t)
	want := token(t, d)
	testbed.Python(t) // named by python3 below
	for _, line := range lines {
		name, _, _ := strings.Cut(strings.TrimPrefix(line, "PYTHONPATH=clients/python "), " ")
		t.Run(name, func(t *testing.T) {
			line = strings.ReplaceAll(line, "http://localhost:2774", d.Agent)
			env := append(d.Environment(), "TOKENVEND_AGENT_URL="+d.Agent, "PYTHONDONTWRITEBYTECODE=1")
			got := output(t, env, "sh", "-c", "cd .. && "+line)
			if strings.TrimPrefix(got, "Bearer ") != want {
				t.Errorf("%s prints %q, want the token %q", line, got, want)
			}
		})
	}
}

// Programs and libraries of others get a token by their configuration alone.
func TestUnmodifiedProgramsGetTokens(t *testing.T) {
	d := demo(t)
	want := token(t, d)
	oauth := append(d.Environment(), "TOKEN_URL="+d.Agent+"/oauth2/token", "CLIENT_ID=minut", "CLIENT_SECRET="+d.Key,
		"GOCACHE="+goEnv(t, "GOCACHE"), "GOMODCACHE="+goEnv(t, "GOMODCACHE"), "GOFLAGS="+os.Getenv("GOFLAGS"))
	node, installed := testbed.Node(t, "examples-oauth2", "oauth2/js")
	for name, run := range map[string]func(*testing.T) string{
		"curl": func(t *testing.T) string {
			file := configured(t, "curl/agent.curlrc", "/run/tokenvend/agent.sock", d.Socket)
			return output(t, d.Environment(), "curl", "-K", file)
		},
		"git": func(t *testing.T) string {
			file := filepath.Join(t.TempDir(), "minut")
			if err := os.WriteFile(file, []byte(want), 0o600); err != nil { // as the agent does: TestCronJob
				t.Fatal(err)
			}
			config := configured(t, "git/gitconfig", "/run/tokenvend/minut", file)
			env := append(d.Environment(), "GIT_CONFIG_GLOBAL="+config, "GIT_CONFIG_NOSYSTEM=1")
			fill := `printf 'protocol=https\nhost=git.example.com\n\n' | git credential fill`
			out := output(t, env, "sh", "-c", fill)
			_, password, _ := strings.Cut(out, "password=")
			return strings.TrimSpace(password)
		},
		"x/oauth2 in Go": func(t *testing.T) string { return output(t, oauth, "go", "run", "./oauth2/go") },
		"Authlib in Python": func(t *testing.T) string {
			env := append(oauth, "AUTHLIB_INSECURE_TRANSPORT=1")
			return output(t, env, testbed.Python(t), "oauth2/python/authlib_token.py")
		},
		"simple-oauth2 in JavaScript": func(t *testing.T) string {
			return output(t, oauth, node, besideModules(t, installed, "oauth2/js/simple-oauth2.mjs"))
		},
		"openid-client in JavaScript": func(t *testing.T) string {
			return output(t, oauth, node, besideModules(t, installed, "oauth2/js/openid-client.mjs"))
		},
		"HttpClient in Java": func(t *testing.T) string {
			return output(t, append(d.Environment(), "TOKENVEND_AGENT_URL="+d.Agent), "java", "java/Token.java")
		},
		"requests in Python": func(t *testing.T) string {
			return output(t, oauth, testbed.Python(t), "-c", requestsLine, d.Agent, d.KeyFile)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strings.TrimPrefix(run(t), "Bearer "); got != want {
				t.Errorf("%s gets %q, want the token %q", name, got, want)
			}
		})
	}
}

const requestsLine = `import requests, sys
key = {"Tokenvend-Agent-Key": open(sys.argv[2]).read()}
print(requests.get(sys.argv[1] + "/authorization/minut", headers=key, timeout=30).text)`

func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// besideModules returns a copy of a script beside the modules that it imports.
func besideModules(t *testing.T, installed, script string) string {
	t.Helper()
	path := configured(t, script)
	modules := filepath.Join(filepath.Dir(path), "node_modules")
	if err := os.Symlink(filepath.Join(installed, "node_modules"), modules); err != nil {
		t.Fatal(err)
	}
	return path
}

// nginx puts the token on what it passes on.
func TestNginx(t *testing.T) {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		t.Fatal("nginx is not on this machine: make needs says how to install it")
	}
	d := demo(t)
	dir := t.TempDir()
	port := testbed.FreePorts(t, 1)[0]
	upstream := api(t, token(t, d))
	config := configured(t, "nginx/nginx.conf", "/run/tokenvend/agent.sock", d.Socket, "/run/nginx.pid",
		filepath.Join(dir, "pid"), "127.0.0.1:8080", "127.0.0.1:"+port, "http://127.0.0.1:9000", upstream,
		"worker_processes auto;", "worker_processes 1; daemon off; user "+userName(t)+";")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	paths := "http {"
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		paths += fmt.Sprintf(" %s_temp_path %s;", what, filepath.Join(dir, what))
	}
	if err := os.WriteFile(config, bytes.Replace(text, []byte("http {"), []byte(paths), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	var said lockedBuffer
	cmd := exec.Command(nginx, "-p", dir, "-e", "stderr", "-c", config)
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	url := "http://127.0.0.1:" + port + "/users/me"
	var status int
	var body string
	for range 1000 {
		if answer, err := http.Get(url); err == nil {
			text, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			status, body = answer.StatusCode, string(text)
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if status != http.StatusOK || body != accepted {
		t.Errorf("GET %s through nginx = %d %q, want 200 %q\n%s", url, status, body, accepted, said.String())
	}
}

// lockedBuffer is read while a process writes it.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// A job of cron reads what the agent keeps in a file, by the line that the
// example names.
func TestCronJob(t *testing.T) {
	d := demo(t)
	file := filepath.Join(d.Home, ".minut.curlrc")
	cmd := exec.Command(program, "agent", "--listen", "none", "--data", filepath.Join(d.Home, ".tokenvend"),
		"--write", "minut="+file,
		"--template", `minut=header = "Authorization: {{.TokenType}} {{.AccessToken}}"`)
	cmd.Env = d.Environment()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	awaitFile(t, file)
	env := append(d.Environment(), "API_URL="+api(t, token(t, d))+"/users/me")
	if got := output(t, env, "cron/job.sh"); got != accepted {
		t.Errorf("cron/job.sh prints %q, want %q", got, accepted)
	}
}

// kubectl reads an ExecCredential of the program that the kubeconfig names.
func TestKubeconfig(t *testing.T) {
	d := demo(t)
	text, err := os.ReadFile("kubectl/kubeconfig.yaml")
	if err != nil {
		t.Fatal(err)
	}
	line := "[get, minut, --format, exec-credential]"
	if !strings.Contains(string(text), line) {
		t.Fatalf("kubeconfig.yaml has no %s, want it there", line)
	}
	args := strings.Split(strings.Trim(line, "[]"), ", ")
	env := append(d.Environment(), `KUBERNETES_EXEC_INFO={"apiVersion":"client.authentication.k8s.io/v1"}`)
	out := output(t, env, append([]string{program}, append(args, "--data", filepath.Join(d.Home, ".tokenvend"))...)...)
	if !strings.Contains(out, `"token": "`+token(t, d)+`"`) || !strings.Contains(out, `"kind": "ExecCredential"`) {
		t.Errorf("tokenvend %v = %s, want an ExecCredential with the token", args, out)
	}
}
