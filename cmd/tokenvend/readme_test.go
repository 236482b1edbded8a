package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/internal/testbed"
)

// What docs/guide/credentials.md says of a token endpoint of one's own, on this
// machine with a private CA, is done as it stands there. Only the ports differ.
func TestCaseC35_CommandsForAnEndpointOfOnesOwn(t *testing.T) {
	dir := t.TempDir()
	port := ownEndpoint(t, dir)
	serve, add, get := pageCommands(t, port)
	s := &served{dir: dir, cmd: exec.Command("sh", "-c", "exec "+serve+" --listen 127.0.0.1:0")} // #nosec G204
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, clean(dir), &s.out, &s.log
	must(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.log.String(), "msg=opened"); {
		if time.Sleep(20 * time.Millisecond); time.Now().After(deadline) {
			t.Fatalf("%s logs in 10 s %s%s, want what is open", serve, s.out.String(), s.log.String())
		}
	}
	if out := commandLine(t, dir, "own-secret\n", add); !strings.Contains(out, "own works") {
		t.Errorf("%s prints %s, want that it works", add, out)
	}
	if out := commandLine(t, dir, "", get); strings.TrimSpace(out) != "own-token" {
		t.Errorf("%s prints %s, want own-token", get, out)
	}
	if code := s.end(t, syscall.SIGTERM); code != clierror.OK {
		t.Errorf("%s exits with %d, want 0: %s", serve, code, s.log.String())
	}
}

// ownEndpoint starts a token endpoint on localhost, writes its authority to
// my-ca.pem in a folder, and returns its port.
func ownEndpoint(t *testing.T, dir string) (port string) {
	t.Helper()
	authority := testbed.NewAuthority(t)
	pair := authority.Issue(t, "localhost")
	certificate, err := tls.X509KeyPair([]byte(pair.Certificate), []byte(pair.Key))
	must(t, err)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); r.URL.Path != "/token" || id != "abc" || secret != "own-secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = fmt.Fprint(w, `{"access_token":"own-token","token_type":"Bearer","expires_in":3600}`)
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	must(t, os.WriteFile(filepath.Join(dir, "my-ca.pem"), []byte(authority.Certificate), 0o600))
	_, port, err = net.SplitHostPort(server.Listener.Addr().String())
	must(t, err)
	return port
}

// pageCommands returns the commands that the page names for an endpoint of
// one's own.
func pageCommands(t *testing.T, port string) (serve, add, get string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/guide/credentials.md")
	must(t, err)
	var all []string
	for _, b := range blocksOf(string(page)) {
		if b.marks["test"] == "TestCaseC35_CommandsForAnEndpointOfOnesOwn" {
			all = append(all, strings.Split(strings.TrimSpace(strings.ReplaceAll(b.text, "8443", port)), "\n")...)
		}
	}
	if len(all) != 3 {
		t.Fatalf("credentials.md has the commands %q for an endpoint of one's own, want serve, add and get", all)
	}
	return all[0], all[1], all[2]
}

// commandLine runs a command line and returns all that it prints.
func commandLine(t *testing.T, dir, stdin, line string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line) // #nosec G204 -- of the README
	cmd.Dir, cmd.Env, cmd.Stdin = dir, clean(dir), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v, want no error", line, err)
	}
	return string(out)
}
