package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// sidecar is a running agent.
type sidecar struct {
	cmd       *exec.Cmd
	out       lockedBuffer
	url, home string
}

var agentListens = regexp.MustCompile(`The agent listens on (http://\S+);`)

// startAgent runs an agent of a server's credentials until the test ends.
func startAgent(t *testing.T, s *served, args ...string) *sidecar {
	t.Helper()
	a := &sidecar{home: s.dir, cmd: exec.Command(program, append([]string{"agent"}, args...)...)}
	a.cmd.Dir, a.cmd.Env, a.cmd.Stdout, a.cmd.Stderr = s.dir, clean(s.dir), &a.out, &a.out
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if a.cmd.ProcessState == nil {
			_ = a.cmd.Process.Kill()
			_ = a.cmd.Wait()
		}
	})
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if found := agentListens.FindStringSubmatch(a.out.String()); found != nil {
			a.url = found[1]
			return a
		}
		if strings.Contains(a.out.String(), "unix socket") || time.Now().After(end) {
			return a
		}
	}
}

// key returns the agent's key.
func (a *sidecar) key(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.home, ".tokenvend-agent-key"))
	if err != nil {
		t.Fatalf("ReadFile of the key = %v; the agent said %s", err, a.out.String())
	}
	return string(text)
}

// get asks the agent, by a client of its own where one is given.
func (a *sidecar) get(t *testing.T, web *http.Client, target, key string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set(agent.KeyHeader, key)
	}
	answer, err := web.Do(r)
	if err != nil {
		t.Fatalf("GET %s = %v; the agent said %s", target, err, a.out.String())
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

const anyPort = "127.0.0.1:0"

func TestAgentGivesTokens(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	a := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData)
	key := a.key(t)
	info, err := os.Stat(filepath.Join(s.dir, ".tokenvend-agent-key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("Stat(key) = %v, %v, want mode 0600", info.Mode(), err)
	}
	want := strings.TrimSpace(tv(t, s.dir, "", "get", "minut", "--data", defaultData).want(t, clierror.OK).out)
	status, body := a.get(t, http.DefaultClient, a.url+"/tokens/minut", key)
	var got api.Token
	if err := json.Unmarshal([]byte(body), &got); status != 200 || err != nil || got.AccessToken != want {
		t.Errorf("GET /tokens/minut = %d %s, want 200 and %s", status, body, want)
	}
	if status, body := a.get(t, http.DefaultClient, a.url+"/authorization/minut", key); body != "Bearer "+want {
		t.Errorf("GET /authorization/minut = %d %s, want the header value", status, body)
	}
	for path, want := range map[string]int{"/tokens/monta": 404, "/tokens/nosuch": 404, "/tokens": 404} {
		if status, body := a.get(t, http.DefaultClient, a.url+path, key); status != want {
			t.Errorf("GET %s = %d %s, want %d: it is not listed", path, status, body, want)
		}
	}
	if status, _ := a.get(t, http.DefaultClient, a.url+"/tokens/minut", ""); status != 403 {
		t.Errorf("GET /tokens/minut without the key = %d, want 403", status)
	}
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := a.cmd.Wait(); err != nil {
		t.Errorf("the agent ends with %v, want exit code 0:\n%s", err, a.out.String())
	}
	if strings.Contains(a.out.String(), want) || strings.Contains(a.out.String(), key) {
		t.Errorf("the agent wrote %s, want neither a token nor its key", a.out.String())
	}
}

// A key is worth nothing once its agent has ended, unless it is kept on
// purpose.
func TestStolenKeyEndsWithItsAgent(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	first := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData)
	stolen := first.key(t)
	end := func(a *sidecar) {
		if err := a.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = a.cmd.Wait()
	}
	end(first)
	second := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData)
	if status, _ := second.get(t, http.DefaultClient, second.url+"/tokens/minut", stolen); status != 403 {
		t.Errorf("GET /tokens/minut with the key of another agent = %d, want 403", status)
	}
	kept := second.key(t)
	end(second)
	third := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData, "--keep-key")
	if status, _ := third.get(t, http.DefaultClient, third.url+"/tokens/minut", kept); status != 200 {
		t.Errorf("GET /tokens/minut with a kept key = %d, want 200", status)
	}
	end(third)
	file := filepath.Join(s.dir, ".tokenvend-agent-key")
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	tv(t, s.dir, "", "agent", "minut", "--listen", anyPort, "--data", defaultData, "--keep-key").
		want(t, clierror.Failed, "others may read it: chmod 600")
}

func TestAgentOnASocket(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	dir, err := os.MkdirTemp("", "agent-") // a path that is short enough
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "s")
	a := startAgent(t, s, "minut", "--listen", "none", "--socket", socket, "--data", defaultData)
	web := &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	if status, body := a.get(t, web, "http://localhost/authorization/minut", ""); status != 200 ||
		!strings.HasPrefix(body, "Bearer ") {
		t.Errorf("GET /authorization/minut on the socket = %d %s, want a header value", status, body)
	}
	if err := a.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_ = a.cmd.Wait()
	if _, err := os.Stat(socket); !os.IsNotExist(err) {
		t.Errorf("Stat(socket) after the end = %v, want that it is gone", err)
	}
}

func TestAgentWritesFiles(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	a := startAgent(t, s, "--write", "minut=token", "--write", "monta=netrc",
		"--template", "monta=machine api.example password {{.AccessToken}}", "--listen", anyPort, "--data", defaultData)
	for file, want := range map[string]string{
		"token": "", "netrc": "machine api.example password ",
	} {
		name := map[string]string{"token": "minut", "netrc": "monta"}[file]
		want += strings.TrimSpace(tv(t, s.dir, "", "get", name, "--data", defaultData).want(t, clierror.OK).out)
		eventually(t, func() string {
			got, err := os.ReadFile(filepath.Join(s.dir, file))
			if err != nil || string(got) != want {
				return ""
			}
			return string(got)
		})
		info, err := os.Stat(filepath.Join(s.dir, file))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("Stat(%s) = %v, %v, want mode 0600; the agent said %s", file, info.Mode(), err, a.out.String())
		}
	}
}

// A library gets tokens by its settings alone: x/oauth2 for the client
// credentials grant.
func TestAgentIsATokenEndpoint(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	a := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData)
	settings := clientcredentials.Config{
		ClientID: "minut", ClientSecret: a.key(t), TokenURL: a.url + "/oauth2/token",
	}
	got, err := settings.Token(t.Context())
	want := strings.TrimSpace(tv(t, s.dir, "", "get", "minut", "--data", defaultData).want(t, clierror.OK).out)
	if err != nil || got.AccessToken != want || got.TokenType != "Bearer" || !got.Expiry.After(time.Now()) {
		t.Errorf("clientcredentials.Token() = %v, %v, want %s", got, err, want)
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {"minut"}}
	answer, err := http.PostForm(a.url+"/oauth2/token", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusUnauthorized {
		t.Errorf("POST /oauth2/token without the key = %s, want 401", answer.Status)
	}
}

// While tokenvend is away, the agent gives the token that it has.
func TestAgentBridgesAnOutage(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	a := startAgent(t, s, "minut", "--listen", anyPort, "--data", defaultData)
	key := a.key(t)
	_, before := a.get(t, http.DefaultClient, a.url+"/authorization/minut", key)
	s.end(t, os.Kill)
	if status, got := a.get(t, http.DefaultClient, a.url+"/authorization/minut", key); status != 200 || got != before {
		t.Errorf("GET /authorization/minut without a server = %d %s, want %s", status, got, before)
	}
	if status, got := a.get(t, http.DefaultClient, a.url+"/tokens/minut?min_ttl=60", key); status != 503 ||
		!strings.Contains(got, "tokenvend_unavailable") {
		t.Errorf("GET of what the agent does not have = %d %s, want 503 tokenvend_unavailable", status, got)
	}
}

func TestAgentRefusesItsFlags(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	for says, args := range map[string][]string{
		"expected the names of the credentials":     {},
		"--listen: expected a loopback address":     {"minut", "--listen", "0.0.0.0:2774"},
		"--listen none: expected --socket":          {"minut", "--listen", "none"},
		"--write: expected NAME=PATH":               {"--write", "minut"},
		"--write: expected a path of its own":       {"--write", "minut=x", "--write", "monta=./x"},
		"--template: expected NAME=TEXT":            {"--template", "minut"},
		"--template: expected a --write of monta":   {"minut", "--template", "monta=x"},
		"--template: template":                      {"--write", "minut=x", "--template", "minut={{.X}}"},
		"expected a credential's name":              {"Minut"},
		"choose a folder of your own":               {"minut", "--listen", "none", "--socket", "/tmp/agent-socket"},
		"no server runs on the data folder nowhere": {"minut", "--data", "nowhere"},
	} {
		t.Run(says, func(t *testing.T) {
			if len(args) > 0 && args[len(args)-1] != "nowhere" || len(args) == 0 {
				args = append(args, "--data", defaultData)
			}
			r := tv(t, s.dir, "", append([]string{"agent"}, args...)...)
			if r.code == clierror.OK || !strings.Contains(r.err, says) {
				t.Errorf("agent %v = %d %s, want %q", args, r.code, r.err, says)
			}
		})
	}
	if out := bytes.TrimSpace([]byte(tv(t, s.dir, "", "help", "agent").want(t, clierror.OK).out)); len(out) == 0 {
		t.Error("help agent prints nothing, want the help")
	}
}
