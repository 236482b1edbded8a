package auditlog

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"
)

// Read counts the requests for a credential since a time, from the log of a
// server on one machine: lines as slog's text handler writes them, also with
// something before them. It passes over everything else.
func Read(log io.Reader, credential string, since time.Time) ([]Caller, error) {
	found := tally{}
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		f := fields(strings.TrimSpace(line))
		isVend := f["msg"] == vended || f["msg"] == refused && f["action"] == vended
		at, timeErr := time.Parse(time.RFC3339Nano, f["time"])
		if isVend && f["credential"] == credential && timeErr == nil && !at.Before(since) {
			found.add(f["caller"], f["msg"], 1, at)
		}
		if errors.Is(err, io.EOF) {
			return found.callers(), nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// fields returns the attributes of a line: name=value or name="value". What
// stands before the first name is left out.
func fields(line string) map[string]string {
	found := map[string]string{}
	for {
		name, rest, ok := strings.Cut(line, "=")
		if !ok {
			return found
		}
		value := ""
		if quoted, err := strconv.QuotedPrefix(rest); err == nil {
			value, _ = strconv.Unquote(quoted) // QuotedPrefix has checked it
			line = rest[len(quoted):]
		} else {
			value, line, _ = strings.Cut(rest, " ")
		}
		found[name[strings.LastIndexByte(name, ' ')+1:]] = value
	}
}
