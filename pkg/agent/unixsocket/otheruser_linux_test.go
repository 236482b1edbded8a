package unixsocket

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

const nobody = 65534

// A real process of another user, by a socket whose mode and folder let it in.
// Only root can start one.
func TestProcessOfAnotherUserIsRefused(t *testing.T) {
	if os.Getenv("UNIXSOCKET_TEST_PATH") != "" {
		connectAsOther(t)
		return
	}
	if os.Geteuid() != 0 {
		t.Log("not root: TestAcceptClosesConnectionsOfOthers stands for this")
		return
	}
	dir := folder(t)
	path := filepath.Join(dir, "agent.sock")
	l := listen(t, path)
	program := filepath.Join(dir, "other")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		os.WriteFile(program, self, 0o755), os.Chmod(dir, 0o755), os.Chmod(path, 0o666),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	go func() { _, _ = l.Accept() }()
	cmd := exec.Command(program, "-test.run", "TestProcessOfAnotherUserIsRefused")
	cmd.Dir, cmd.Env = "/", []string{"UNIXSOCKET_TEST_PATH=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the other user's process = %v, want that it reads nothing:\n%s", err, out)
	}
	if got := l.Refused(); got != 1 {
		t.Errorf("Refused() = %d, want 1", got)
	}
}

// connectAsOther runs in the other user's process.
func connectAsOther(t *testing.T) {
	c, err := net.Dial("unix", os.Getenv("UNIXSOCKET_TEST_PATH"))
	if err != nil {
		t.Fatalf("Dial = %v, want a connection: the mode allows it", err)
	}
	if got, err := io.ReadAll(c); len(got) > 0 {
		t.Errorf("the connection reads %q, %v, want nothing", got, err)
	}
}
