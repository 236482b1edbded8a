// Package terminal is the way in and out of the operator's program.
//
// What providers, tables and account names say reaches the operator through
// it, so nothing that is written for people controls a terminal: see [Console].
// A command has no other way to write: its streams are fields of this package.
package terminal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strings"
	"text/tabwriter"
	"unicode/utf16"
)

// Console is the standard input, output and error of one run. Data goes to the
// output, everything else to the error output.
type Console struct {
	in       *os.File
	out, err io.Writer
	colored  bool // the output is a terminal that shows colors
}

// New returns the console of these three streams.
func New(in *os.File, out, err io.Writer) Console {
	return Console{in: in, out: out, err: err, colored: showsColors(out)}
}

// Lines is a text of several lines as an argument of Say and Printf. Its
// further lines are indented, so that none can pass for a message of the
// program. All other text in arguments stays on the line where it stands in the
// format.
type Lines string

// Say writes a message for people on the error output, as a line.
func (c Console) Say(format string, args ...any) { c.Text(formatted(format, args) + "\n") }

// Fail writes an error for people on the error output.
func (c Console) Fail(text string) { c.Say("tokenvend: %s", Lines(text)) }

// Text writes a text of the program's own on the error output.
func (c Console) Text(text string) { _, _ = io.WriteString(c.err, clean(text)) }

// Printf writes data for people on the output.
func (c Console) Printf(format string, args ...any) error {
	_, err := io.WriteString(c.out, formatted(format, args))
	return err
}

// formatted formats arguments that come from elsewhere, and cleans them.
func formatted(text string, args []any) string {
	cleaned := make([]any, len(args))
	for i, arg := range args {
		switch a := arg.(type) {
		case Lines:
			cleaned[i] = indented(string(a))
		case string:
			cleaned[i] = cleanLine(a)
		case error, fmt.Stringer:
			cleaned[i] = cleanLine(fmt.Sprint(a))
		default:
			cleaned[i] = cleanValue(arg)
		}
	}
	return clean(fmt.Sprintf(text, cleaned...))
}

// cleanValue cleans a value of any other type as a text of one line, unless it
// is a number or a bool. A type of its own, such as that of a state, is no less
// a text.
func cleanValue(arg any) any {
	switch kind := reflect.ValueOf(arg).Kind(); {
	case kind >= reflect.Bool && kind <= reflect.Complex128:
		return arg
	}
	return cleanLine(fmt.Sprint(arg))
}

func indented(text string) string {
	first, rest, more := strings.Cut(text, "\n")
	for more {
		var line string
		line, rest, more = strings.Cut(rest, "\n")
		first += "\n  " + strings.TrimPrefix(line, "  ")
	}
	return first
}

// Table writes rows on the output, their columns lined up. No cell can begin
// another row or column.
func (c Console) Table(rows [][]string) error { return writeTable(c.out, rows, 0, nil) }

// GradedTable is Table with a color for the cells of one column, where the
// output is a terminal.
func (c Console) GradedTable(rows [][]string, column int, color func(cell string) Color) error {
	if !c.colored {
		color = nil
	}
	return writeTable(c.out, rows, column, color)
}

// trailingSpaces are the padding of empty cells at the ends of rows.
var trailingSpaces = regexp.MustCompile(`(?m) +$`)

func writeTable(w io.Writer, rows [][]string, column int, color func(cell string) Color) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cleanLine(cell)
			if i == column && color != nil {
				cells[i] = color(cell).paint(cells[i])
			}
		}
		_, _ = io.WriteString(t, strings.Join(cells, "\t")+"\n")
	}
	_ = t.Flush() // to memory: cannot fail
	_, err := w.Write(trailingSpaces.ReplaceAll(b.Bytes(), nil))
	return err
}

// Help writes a help text: on the output where it was asked for, else on the
// error output.
func (c Console) Help(asked bool, text string) {
	w := c.err
	if asked {
		w = c.out
	}
	_, _ = io.WriteString(w, clean(text))
}

// Columns returns rows as text, their columns lined up.
func Columns(rows [][]string) string {
	var b bytes.Buffer
	_ = writeTable(&b, rows, 0, nil) // to memory: cannot fail
	return b.String()
}

// JSON writes data for programs on the output. Characters that are not printed
// are written as JSON's own escapes, which programs read as the same text.
func (c Console) JSON(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(c.out, escapeJSON(b.String()))
	return err
}

// escapeJSON escapes what encoding/json leaves: it escapes the C0 controls and
// invalid UTF-8 alone. Beyond ASCII, JSON has characters in strings only.
func escapeJSON(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || isPrinted(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// errNoToken is the error of a token with characters that no token has.
var errNoToken = errors.New("the answer's access token holds characters " +
	"that no token has (RFC 6750 §2.1): it is not shown")

// CheckToken refuses a token that could control a terminal, or end a line.
func CheckToken(token string) error {
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return errNoToken
		}
	}
	return nil
}

// Token writes a token for programs on the output, as a line.
func (c Console) Token(token string) error {
	if err := CheckToken(token); err != nil {
		return err
	}
	return c.Line(token)
}

// Line writes a line for programs on the output. It is the caller's to check
// what the line is made from.
func (c Console) Line(text string) error {
	_, err := io.WriteString(c.out, cleanLine(text)+"\n")
	return err
}

// Output returns a writer for people on the output, for code that takes one. A
// character must not be split between two writes.
func (c Console) Output() io.Writer { return cleaner{c.out} }

// ErrorOutput is Output on the error output.
func (c Console) ErrorOutput() io.Writer { return cleaner{c.err} }

// cleaner cleans what is written to another writer.
type cleaner struct{ to io.Writer }

// Write implements io.Writer.
func (c cleaner) Write(p []byte) (int, error) {
	if isPlain(p) {
		return c.to.Write(p)
	}
	if _, err := io.WriteString(c.to, clean(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
