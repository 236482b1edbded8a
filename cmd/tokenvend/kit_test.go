package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/internal/testbed"
)

// program is the path of the real program, built once.
var program string

func TestMain(m *testing.M) {
	os.Exit(built(m))
}

func built(m *testing.M) int {
	dir, err := os.MkdirTemp("", "tokenvend-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "tokenvend")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

// defaultData is the name of a data folder.
const defaultData = ".tokenvend"

// clean returns an environment in which PATH leads to the program, and nothing
// else is set that it reads. The user's own data folder is the one in home.
func clean(home string) []string {
	path := filepath.Dir(program) + string(filepath.ListSeparator) + os.Getenv("PATH")
	return []string{"PATH=" + path, "HOME=" + home, "AWS_EC2_METADATA_DISABLED=true"}
}

// ran is what became of one run of the program.
type ran struct {
	out, err string
	code     clierror.Code
}

// tv runs the program in a folder, with standard input.
func tv(t *testing.T, dir, stdin string, args ...string) ran {
	t.Helper()
	return tvEnv(t, dir, stdin, nil, args...)
}

func tvEnv(t *testing.T, dir, stdin string, env []string, args ...string) ran {
	t.Helper()
	testbed.LookAtSources(t)
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, append(
		clean(dir),
		env...), strings.NewReader(
		stdin,
	), &out, &errs
	err := cmd.Run()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return ran{out.String(), errs.String(), clierror.Code(cmd.ProcessState.ExitCode())}
}

// want checks an exit code, and that standard error says what it should.
func (r ran) want(t *testing.T, code clierror.Code, says ...string) ran {
	t.Helper()
	if r.code != code {
		t.Errorf("tokenvend exits with %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.out, r.err)
	}
	for _, s := range says {
		if !strings.Contains(r.err, s) {
			t.Errorf("tokenvend prints on stderr %s, want %q", r.err, s)
		}
	}
	if code != clierror.OK && r.out != "" {
		t.Errorf("tokenvend fails and prints %s, want nothing on stdout", r.out)
	}
	return r
}

// served is a running server.
type served struct {
	dir, url, control string
	cmd               *exec.Cmd
	out, log          lockedBuffer
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

var (
	listens  = regexp.MustCompile(`listens on (http://\S+);`)
	controls = regexp.MustCompile(`curl (http://\S+)/stats`)
)

// demo serves a demo in a folder until the test ends, or until it is ended.
func demo(t *testing.T, dir string, more ...string) *served {
	t.Helper()
	return demoEnv(t, dir, nil, more...)
}

// demoEnv is demo with more variables in the environment.
func demoEnv(t *testing.T, dir string, env []string, more ...string) *served {
	t.Helper()
	s := &served{dir: dir}
	args := append(
		[]string{"serve", "--demo", "--listen", "127.0.0.1:0", "--demo-listen", "127.0.0.1:0", "--every", "1s"},
		more...)
	s.start(t, env, args...)
	s.ready(t)
	return s
}

// start starts the program as a server until the test ends, or until it is
// ended.
func (s *served) start(t *testing.T, env []string, args ...string) {
	t.Helper()
	s.cmd = exec.Command(program, args...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stdout, s.cmd.Stderr = s.dir, append(clean(s.dir), env...), &s.out, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
}

func (s *served) ready(t *testing.T) {
	t.Helper()
	for range 500 {
		if found := controls.FindStringSubmatch(s.out.String()); found != nil {
			s.control, s.url = found[1], listens.FindStringSubmatch(s.out.String())[1]
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("serve prints in 10 s %s%s, want its address", s.out.String(), s.log.String())
}

// end sends a signal and waits for the exit code.
func (s *served) end(t *testing.T, sig os.Signal) clierror.Code {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
	if status, ok := s.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return -clierror.Code(status.Signal())
	}
	return clierror.Code(s.cmd.ProcessState.ExitCode())
}

// fault tells a simulated provider to misbehave; "": to behave again.
func (s *served) fault(t *testing.T, provider, fault string) {
	t.Helper()
	method, body := http.MethodPut, io.Reader(strings.NewReader(fault))
	if fault == "" {
		method, body = http.MethodDelete, nil
	}
	r, err := http.NewRequestWithContext(t.Context(), method, s.control+"/providers/"+provider+"/fault", body)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Fatalf("the simulator answers %s, want that it takes the fault", answer.Status)
	}
}

// secretOf reads a credential's file.
func secretOf(t *testing.T, dir, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filePath(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

func filePath(dir, name string) string {
	return filepath.Join(dir, defaultData, "credentials", name+".json")
}

func exists(dir, name string) bool {
	_, err := os.Stat(filePath(dir, name))
	return err == nil
}

func text(v any) string { return fmt.Sprint(v) }
