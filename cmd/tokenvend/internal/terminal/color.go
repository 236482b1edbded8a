package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Color is a color of text on a terminal. Each is written by a sequence of the
// same length, so that columns stay lined up.
type Color string

// The colors.
const (
	Green  Color = "\x1b[32m"
	Yellow Color = "\x1b[33m"
	Red    Color = "\x1b[31m"
)

const colorEnd = "\x1b[0m"

func (c Color) paint(text string) string { return string(c) + text + colorEnd }

// showsColors reports whether a writer is a terminal that shows colors. The
// environment variable NO_COLOR turns them off (https://no-color.org).
func showsColors(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}
