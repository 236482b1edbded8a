package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// newTerminal returns both sides of a new terminal: where a person types and
// reads, and the one that a program has.
func newTerminal(t *testing.T) (person, terminal *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { _ = person.Close() })
	must(t, unix.IoctlSetPointerInt(int(person.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(person.Fd()), unix.TIOCGPTN)
	must(t, err)
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { _ = terminal.Close() })
	return person, terminal
}

// prompt is a question on a terminal, and its answer.
type prompt struct {
	question, answer string // {dir} in an answer is the folder of the test
	hidden           bool   // the terminal does not show the answer
}

// converse runs the program on a terminal, where a person answers its
// questions. What the terminal shows is the output.
func converse(t *testing.T, dir string, prompts []prompt, args ...string) ran {
	t.Helper()
	return converseEnv(t, dir, nil, prompts, args...)
}

// converseEnv is converse with further variables of the environment.
func converseEnv(t *testing.T, dir string, env []string, prompts []prompt, args ...string) ran {
	t.Helper()
	person, terminal := newTerminal(t)
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = dir, append(clean(dir), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	must(t, cmd.Start())
	must(t, terminal.Close())
	var shown lockedBuffer
	read := make(chan struct{})
	go func() { // ends with the program, which has the other side
		defer close(read)
		buffer := make([]byte, 1<<10)
		for {
			n, err := person.Read(buffer)
			_, _ = shown.Write(buffer[:n])
			if err != nil {
				return
			}
		}
	}()
	seen := 0
	for _, p := range prompts {
		seen = p.wait(t, person, &shown, seen)
		_, err := person.WriteString(strings.ReplaceAll(p.answer, "{dir}", dir) + "\n")
		must(t, err)
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	<-read
	return ran{out: shown.String(), code: clierror.Code(cmd.ProcessState.ExitCode())}
}

// wait waits for the question after what was seen before, and returns where it
// ends.
func (p prompt) wait(t *testing.T, person *os.File, shown *lockedBuffer, seen int) int {
	t.Helper()
	for range 1000 {
		text := shown.String()
		at := strings.Index(text[seen:], p.question)
		if at >= 0 && strings.HasSuffix(text, ": ") && p.hidden == isSilent(t, person) {
			return len(text)
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("the terminal shows in 5 s %q, want %q", shown.String()[seen:], p.question)
	return 0
}

// isSilent reports whether the terminal does not show what is typed.
func isSilent(t *testing.T, person *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(person.Fd()), unix.TCGETS)
	must(t, err)
	return settings.Lflag&unix.ECHO == 0
}
