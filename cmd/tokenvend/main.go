// Command tokenvend is the operator's program, and tokenvend on one machine. `tokenvend help` says what it can do.
package main

import (
	"context"
	"os"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

// commands is all that the program can do, in the order of the help. A command is added here and nowhere else.
func commands() []command {
	return []command{
		serveCommand, getCommand, execCommand, lsCommand, statusCommand,
		addCommand, setCommand, rmCommand, connectCommand, renewCommand, revokeCommand, recoverCommand, acceptCommand, doctorCommand, versionCommand,
	}
}

func main() {
	os.Exit(run(context.Background(), terminal.New(os.Stdin, os.Stdout, os.Stderr), os.Args[1:]))
}
