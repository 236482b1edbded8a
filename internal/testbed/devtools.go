//go:build testall

package testbed

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// wire is the DevTools protocol on a pair of pipes, which Chromium has as files
// 3 and 4: JSON, with a zero byte after each message. No port is open. When the
// test process ends for any reason, the pipe closes and Chromium exits.
type wire struct {
	cmd  *exec.Cmd
	to   *os.File
	from *os.File
	read *bufio.Reader
	last *int // the ID of the last message
}

// callWithin bounds how long Chromium takes to respond on a busy machine.
const callWithin = 30 * time.Second

// startWired starts a Chromium that listens on its pipe.
func startWired(cmd *exec.Cmd) (wire, error) {
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		return wire{}, err
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		return wire{}, err
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	err = cmd.Start()
	_, _ = theirIn.Close(), theirOut.Close()
	return wire{cmd: cmd, to: ourOut, from: ourIn, read: bufio.NewReader(ourIn), last: new(int)}, err
}

func (w wire) close() { _, _ = w.to.Close(), w.from.Close() }

// message is a message in either direction.
type message struct {
	ID      int             `json:"id,omitempty"` // 0: an event
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  map[string]any  `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// call sends a command to a tab's session ("": the browser) and decodes its
// result into out, if out is not nil. It ignores events.
func (w wire) call(session, method string, params map[string]any, out any) error {
	*w.last++
	sent, err := json.Marshal(message{ID: *w.last, Session: session, Method: method, Params: params})
	if err != nil {
		return err
	}
	deadline := time.Now().Add(callWithin)
	if err := errors.Join(w.to.SetDeadline(deadline), w.from.SetDeadline(deadline)); err != nil {
		return err
	}
	if _, err := w.to.Write(append(sent, 0)); err != nil {
		return err
	}
	for {
		text, err := w.read.ReadBytes(0)
		if err != nil {
			return fmt.Errorf("it says nothing any more: %w", err)
		}
		var m message
		if err := json.Unmarshal(bytes.TrimSuffix(text, []byte{0}), &m); err != nil {
			return err
		}
		switch {
		case m.ID != *w.last:
		case m.Error != nil:
			return errors.New(m.Error.Message)
		case out == nil:
			return nil
		default:
			return json.Unmarshal(m.Result, out)
		}
	}
}
