package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/agent"
	"github.com/tokenvend/tokenvend/pkg/client/clienttest"
)

// program is the path of the extension, built once as for a layer.
var program string

func TestMain(m *testing.M) { os.Exit(built(m)) }

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tokenvend-extension-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "tokenvend-extension")
	cmd := exec.Command("go", "build", "-tags", "nethttpomithttp2", "-trimpath", "-ldflags", "-s -w",
		"-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

const sessionToken = "IQoJb3JpZ2luX2VjEA0aCWV1LW5vcnRoLTEiRzBFAiEA"

// environment is what Lambda and the function's settings give the extension.
func environment(url string, port int, more ...string) []string {
	return append([]string{
		"TOKENVEND_URL=" + url, "TOKENVEND_AGENT_PORT=" + strconv.Itoa(port), "AWS_REGION=eu-north-1",
		"AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=" + sessionToken,
	}, more...)
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := strconv.Atoi(testbed.FreePorts(t, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// get asks the extension as a function does.
func get(t testing.TB, port int, path, key string) (int, string) {
	t.Helper()
	url := fmt.Sprintf("http://localhost:%d%s", port, path)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(agent.KeyHeader, key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// check checks the header value of minut.
func check(t testing.TB, port int, want string) {
	t.Helper()
	if status, got := get(t, port, "/authorization/minut", sessionToken); status != 200 || got != want {
		t.Errorf("GET /authorization/minut = %d %s, want 200 %s", status, got, want)
	}
}

func TestExtensionLives(t *testing.T) {
	t.Parallel()
	testbed.LookAtSources(t)
	fake := &clienttest.Server{}
	server := httptest.NewServer(fake)
	defer server.Close()
	port := freePort(t)
	e := testbed.StartExtension(t, program, environment(server.URL, port)...)
	got, both := e.Registration(), []string{"INVOKE", "SHUTDOWN"}
	if got.Name != "tokenvend-extension" || !slices.Equal(got.Events, both) {
		t.Errorf("the extension registered %v, want its file's name, INVOKE and SHUTDOWN", got)
	}
	for range 3 {
		e.Invoke(t)
		check(t, port, "Bearer token-1")
	}
	if status, _ := get(t, port, "/tokens/minut", "x"); status != 403 {
		t.Errorf("GET /tokens/minut with another header = %d, want 403", status)
	}
	if n := len(fake.Requests()); n != 1 {
		t.Errorf("requests to tokenvend = %d, want 1", n)
	}
	if code := e.Shutdown(t); code != 0 || len(e.Errors()) != 0 {
		t.Errorf("the extension exits with %d, and reported %v, want 0 and nothing", code, e.Errors())
	}
	if strings.Contains(e.Output(), "token-1") || strings.Contains(e.Output(), sessionToken) {
		t.Errorf("the extension wrote %s, want no secret in it", e.Output())
	}
}

func TestListedCredentialsAreObtainedInTheInitialization(t *testing.T) {
	t.Parallel()
	fake := &clienttest.Server{}
	server := httptest.NewServer(fake)
	defer server.Close()
	port := freePort(t)
	testbed.StartExtension(t, program, environment(server.URL, port, "TOKENVEND_AGENT_CREDENTIALS=minut, monta")...)
	for end := time.Now().Add(10 * time.Second); len(fake.Requests()) < 2 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if status, _ := get(t, port, "/tokens/minut", sessionToken); status != 200 {
		t.Errorf("GET /tokens/minut = %d, want 200", status)
	}
	if status, _ := get(t, port, "/tokens/miden", sessionToken); status != 404 {
		t.Errorf("GET /tokens/miden = %d, want 404: it is not listed", status)
	}
	if n := len(fake.Requests()); n != 2 {
		t.Errorf("requests to tokenvend = %d, want 2", n)
	}
}

// A token that ended while the process was frozen is not given out.
func TestFrozenExtensionUsesTheWallClock(t *testing.T) {
	t.Parallel()
	fake := &clienttest.Server{Lifetime: 4 * time.Second, Early: time.Second}
	server := httptest.NewServer(fake)
	defer server.Close()
	port := freePort(t)
	e := testbed.StartExtension(t, program, environment(server.URL, port)...)
	check(t, port, "Bearer token-1")
	if err := e.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * time.Second)
	if err := e.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	status, got := get(t, port, "/authorization/minut", sessionToken)
	if status != 200 || got == "Bearer token-1" {
		t.Errorf("GET /authorization/minut after a freeze = %d %s, want 200 and another token", status, got)
	}
}

func TestMisconfiguredExtensionReportsIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  []string
		says []string
	}{
		"nothing set": {nil, []string{"TOKENVEND_URL", "TOKENVEND_FUNCTION", "AWS_SESSION_TOKEN"}},
		"two places": {
			environment("https://a.example", 1, "TOKENVEND_FUNCTION=f"), []string{"expected one of TOKENVEND_URL"},
		},
		"no TLS":    {environment("http://a.example", 1), []string{"TOKENVEND_URL: expected https"}},
		"not a URL": {environment("a.example", 1), []string{"TOKENVEND_URL: expected https"}},
		"no port": {
			append(environment("https://a.example", 1), "TOKENVEND_AGENT_PORT=x"), []string{"TOKENVEND_AGENT_PORT"},
		},
		"no names": {
			environment("https://a.example", 1, "TOKENVEND_AGENT_CREDENTIALS=minut;monta"),
			[]string{"TOKENVEND_AGENT_CREDENTIALS"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := testbed.StartExtension(t, program, c.env...)
			if code := e.ExitCode(t); code != 1 {
				t.Errorf("the extension exits with %d, want 1", code)
			}
			reported := strings.Join(e.Errors(), "\n")
			for _, s := range append(c.says, "init/error", "Extension.TokenvendAgent") {
				if !strings.Contains(reported, s) {
					t.Errorf("the extension reported %s, want %s", reported, s)
				}
			}
			for _, s := range c.says {
				if !strings.Contains(e.Output(), s) {
					t.Errorf("the extension wrote %s, want %s", e.Output(), s)
				}
			}
		})
	}
}

func TestPortInUseIsReported(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	e := testbed.StartExtension(t, program, environment("https://a.example", l.Addr().(*net.TCPAddr).Port)...)
	code, reported := e.ExitCode(t), strings.Join(e.Errors(), "\n")
	if code != 1 || !strings.Contains(reported, "address already in use") {
		t.Errorf("the extension exits with %d and reported %s, want 1 and the port", code, reported)
	}
}

// A function with a snapshot has no AWS_SESSION_TOKEN: its credentials come
// from an endpoint, and the header's value is that endpoint's.
func TestSnapshotsCredentialsComeFromTheirEndpoint(t *testing.T) {
	t.Parallel()
	fake := &clienttest.Server{}
	signatures := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case signatures <- r.Header.Get("Authorization") + r.Header.Get("X-Amz-Security-Token"):
		default:
		}
		fake.ServeHTTP(w, r)
	}))
	defer server.Close()
	credentials := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "container-token" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, `{"AccessKeyId":"ASIASNAPSHOT","SecretAccessKey":"s","Token":"session-of-the-endpoint",`+
			`"Expiration":"2999-01-01T00:00:00Z"}`)
	}))
	defer credentials.Close()
	port := freePort(t)
	testbed.StartExtension(t, program, "TOKENVEND_URL="+server.URL, "TOKENVEND_AGENT_PORT="+strconv.Itoa(port),
		"AWS_REGION=eu-north-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI="+credentials.URL,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=container-token")
	status, got := get(t, port, "/authorization/minut", "container-token")
	if status != 200 || got != "Bearer token-1" {
		t.Errorf("GET /authorization/minut = %d %s, want 200 and the token", status, got)
	}
	signature := <-signatures
	if !strings.Contains(signature, "ASIASNAPSHOT") || !strings.Contains(signature, "session-of-the-endpoint") {
		t.Errorf("the request is signed by %s, want the endpoint's credentials", signature)
	}
}
