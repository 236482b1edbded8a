package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// The commands of docs/guide/one-machine.md, with a provider on this machine.
func TestServeTokenFile(t *testing.T) {
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, `{"access_token":"FOR_%s","expires_in":3600}`, r.FormValue("subject_token"))
	}))
	t.Cleanup(provider.Close)
	at, err := url.Parse(provider.URL)
	must(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "token")
	must(t, os.WriteFile(file, []byte("FILE_TOKEN"), 0o600))
	const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k"
	for _, name := range []string{"gcp", "other"} {
		tv(t, dir, "", "add", name, "--provider", "google-workload-identity", "--proof", "file",
			"--variable", "provider="+pool, "--token-url", provider.URL+"/v1/token", "--scope", "s").
			want(t, clierror.OK)
	}
	s := &served{dir: dir}
	s.cmd = exec.Command(program, "serve", "--listen", "127.0.0.1:0", "--allow-private",
		"--token-file", "gcp="+file+"@"+at.Host)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = dir, clean(dir), &s.out, &s.log
	must(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	for deadline := time.Now().Add(10 * time.Second); listens.FindString(s.out.String()) == ""; {
		if time.Sleep(20 * time.Millisecond); time.Now().After(deadline) {
			t.Fatalf("serve prints in 10 s %s%s, want its address", s.out.String(), s.log.String())
		}
	}
	if got := tv(t, dir, "", "get", "gcp").want(t, clierror.OK).out; strings.TrimSpace(got) != "FOR_FILE_TOKEN" {
		t.Errorf("get gcp prints %s, want FOR_FILE_TOKEN", got)
	}
	if r := tv(t, dir, "", "get", "other"); r.code == clierror.OK || !strings.Contains(r.err, "serve --token-file") {
		t.Errorf("get other = %d %s, want an error that names serve --token-file", r.code, r.err)
	}
	if code := s.end(t, syscall.SIGTERM); code != clierror.OK {
		t.Errorf("serve exits with %d, want 0: %s", code, s.log.String())
	}
}

func TestServeRefusesTokenFilesInAnotherForm(t *testing.T) {
	dir := t.TempDir()
	for _, flag := range []string{"gcp", "gcp=/token", "gcp=@host", "GCP=/token@host", "gcp=/token@https://host"} {
		tv(t, dir, "", "serve", "--listen", "127.0.0.1:0", "--token-file", flag).
			want(t, clierror.BadUsage, "--token-file: ", "CREDENTIAL=SOURCE@HOST", "gcp=/var/run/secrets/token@")
	}
}
