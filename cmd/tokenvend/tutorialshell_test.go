package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// commandEnd stands at the end of what a shell printed, once its command is
// over.
const commandEnd = "\n-- ended\n"

// lessonShell runs commands one after the other, as a terminal does. It ends
// with the first that fails.
type lessonShell struct {
	input *os.File
	out   lockedBuffer
}

// newLessonShell starts a shell that ends with the test. What it runs has no
// standard input: the commands are sent by another file.
func newLessonShell(t *testing.T, dir string, env []string) *lessonShell {
	t.Helper()
	commands, input, err := os.Pipe()
	must(t, err)
	s := &lessonShell{input: input}
	cmd := exec.Command("sh", "-e", "/dev/fd/3")
	cmd.ExtraFiles = []*os.File{commands}
	open(t, cmd, dir, env, &s.out)
	must(t, commands.Close())
	t.Cleanup(func() { _ = input.Close() })
	return s
}

// run runs a command and returns what it printed.
func (s *lessonShell) run(t *testing.T, command string) (printed func() string) {
	t.Helper()
	before := len(s.out.String())
	_, err := fmt.Fprintf(s.input, "%s\nprintf '%s'\n", command, strings.ReplaceAll(commandEnd, "\n", `\n`))
	must(t, err)
	printed = func() string { return s.out.String()[before:] }
	wait(t, command, func() []string {
		if strings.HasSuffix(printed(), commandEnd) {
			return []string{command}
		}
		return nil
	}, printed)
	return printed
}

// start runs a command in a shell of its own until the test ends.
func start(t *testing.T, dir string, env []string, command string) *lockedBuffer {
	t.Helper()
	var out lockedBuffer
	open(t, exec.Command("sh", "-c", command), dir, env, &out) // #nosec G204 -- of a page of ours
	return &out
}

// open starts a shell in a process group of its own, and ends that with the
// test.
func open(t *testing.T, cmd *exec.Cmd, dir string, env []string, out *lockedBuffer) {
	t.Helper()
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cmd.Start())
	over := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		_, _ = out.Write([]byte(commandEnd))
		close(over)
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		select {
		case <-over:
		case <-time.After(10 * time.Second):
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-over
		}
	})
}
