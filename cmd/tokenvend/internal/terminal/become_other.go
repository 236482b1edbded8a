//go:build !unix

package terminal

import (
	"errors"
	"os"
	"os/exec"
	"os/signal"
)

// Become runs a command, and ends with its exit code: no process of this system
// can be replaced. It returns only an error. Ctrl-C is the command's to obey.
func Become(path string, line, environment []string) error {
	signal.Ignore(os.Interrupt)
	cmd := &exec.Cmd{ // #nosec G204 -- exec runs what it is told to
		Path: path, Args: line, Env: environment, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	err := cmd.Run()
	if ended, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(ended.ExitCode())
	}
	if err == nil {
		os.Exit(0)
	}
	return err
}
