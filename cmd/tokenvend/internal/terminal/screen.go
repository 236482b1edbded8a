package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// ClearScreen clears the output where that is a terminal. Elsewhere it writes
// nothing.
func (c Console) ClearScreen() error {
	f, ok := c.out.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	_, err := io.WriteString(c.out, "\x1b[H\x1b[2J")
	return err
}
