// Command tokenvend is the operator's program, and the server on one machine.
// tokenvend help lists its commands.
package main

import (
	"context"
	"os"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/cli"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

// version is set by the linker: -ldflags "-X main.version=v1.2.3". Without it,
// the version is the module's.
var version string

func main() {
	console := terminal.New(os.Stdin, os.Stdout, os.Stderr)
	program := command.Program{Console: console, Name: hint.Program(), Version: version}
	os.Exit(cli.Run(context.Background(), program, os.Args[1:]))
}
