package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/term"

	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// interactive says whether there is somebody to ask.
func (c console) interactive() bool { return term.IsTerminal(int(c.in.Fd())) }

// ask asks on the terminal.
func (c console) ask(question string) (string, error) {
	_, _ = fmt.Fprint(c.err, question)
	line, err := c.line()
	return strings.TrimSpace(line), err
}

// askHidden asks on the terminal, where the answer is not shown; without one it reads a line. No answer is the zero value.
func (c console) askHidden(question string) (redact.String, error) {
	if !c.interactive() {
		line, err := c.line()
		return redact.New(line), err
	}
	_, _ = fmt.Fprint(c.err, question)
	answer, err := c.hidden()
	c.say("")
	return redact.New(answer), err
}

// hidden reads a line that the terminal does not show. Whoever ends the program meanwhile gets a terminal back that shows what is typed.
func (c console) hidden() (string, error) {
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

// line reads one line, byte by byte: what follows is for others to read. The end of the input ends a line too.
func (c console) line() (string, error) {
	var text []byte
	one := make([]byte, 1)
	for len(text) <= credential.MaxSize {
		n, err := c.in.Read(one)
		if n == 1 && one[0] == '\n' || errors.Is(err, io.EOF) {
			return strings.TrimSuffix(string(text), "\r"), nil
		}
		if err != nil {
			return "", err
		}
		text = append(text, one[:n]...)
	}
	return "", fmt.Errorf("a line longer than %d bytes", credential.MaxSize)
}
