package terminal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/tokenvend/tokenvend/pkg/redact"
)

// maxLine is the longest line that is read, in bytes: that of a secret.
const maxLine = 64 << 10

// Input is the standard input.
func (c Console) Input() *os.File { return c.in }

// Interactive reports whether the standard input is a terminal.
func (c Console) Interactive() bool { return term.IsTerminal(int(c.in.Fd())) }

// Question asks a question and reads a line.
func (c Console) Question(question string) (string, error) {
	c.prompt(question)
	line, err := c.line()
	return strings.TrimSpace(line), err
}

// AskHidden asks a question on the terminal, which does not show the answer;
// without a terminal it reads a line. No answer is the zero value.
func (c Console) AskHidden(question string) (redact.String, error) {
	if !c.Interactive() {
		line, err := c.line()
		return redact.New(line), err
	}
	c.prompt(question)
	answer, err := c.hidden()
	c.Say("")
	return redact.New(answer), err
}

func (c Console) prompt(question string) { _, _ = io.WriteString(c.err, clean(question)) }

// hidden reads a line that the terminal does not show. Whoever ends the program
// meanwhile gets a terminal back that shows what is typed.
func (c Console) hidden() (string, error) {
	fd := int(c.in.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(ended)
	type read struct {
		text []byte
		err  error
	}
	done := make(chan read, 1)
	go func() { // ends with the line, or with the program
		text, err := term.ReadPassword(fd)
		done <- read{text, err}
	}()
	select {
	case r := <-done:
		return string(r.text), r.err
	case <-ended:
		return "", errors.Join(errors.New("interrupted, and nothing was done"), term.Restore(fd, before))
	}
}

// line reads one line, byte by byte: what follows is for others to read. The
// end of the input ends a line too.
func (c Console) line() (string, error) {
	var text []byte
	one := make([]byte, 1)
	for len(text) <= maxLine {
		n, err := c.in.Read(one)
		if n == 1 && one[0] == '\n' || errors.Is(err, io.EOF) {
			// without the byte order mark of a file from Windows
			return strings.TrimSuffix(strings.TrimPrefix(string(text), "\ufeff"), "\r"), nil
		}
		if err != nil {
			return "", err
		}
		text = append(text, one[:n]...)
	}
	return "", fmt.Errorf("a line longer than %d bytes", maxLine)
}
