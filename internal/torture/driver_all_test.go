//go:build testall

package torture_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testworld"
)

// driver is a process that obtains tokens with the libraries of a language. It
// ends when its standard input does.
type driver struct {
	t       *testing.T
	mu      sync.Mutex
	input   io.Writer
	last    int                  // the number of the last client or call
	waiting map[int]chan *result // by call; nil: the process has ended
}

type driverCommand struct {
	line        []string
	folder, env string
}

// client is the command that makes a client.
type client struct {
	Start    int    `json:"start"`
	Library  string `json:"library"`
	ID       string `json:"id"`
	Secret   string `json:"secret"`
	Basic    bool   `json:"basic"` // client_secret_basic; false: client_secret_post
	TokenURL string `json:"token_url"`
	Issuer   string `json:"issuer"`
	Timeout  int    `json:"timeout"` // of a request, in seconds
}

// result is what a call obtained: a token, or else an error.
type result struct {
	Call         int
	Access, Kind string
	Expires      *float64 // in seconds since 1970; nil: never
	Error, Code  string
	Status       int
	Timeout      bool
}

func startDriver(t *testing.T, c driverCommand) *driver {
	t.Helper()
	cmd := exec.Command(c.line[0], c.line[1:]...)
	cmd.Dir, cmd.Env = c.folder, append(cmd.Environ(), c.env)
	input, err := cmd.StdinPipe()
	testworld.Must(t, err)
	output, err := cmd.StdoutPipe()
	testworld.Must(t, err)
	var problems bytes.Buffer
	cmd.Stderr = &problems
	testworld.Must(t, cmd.Start())
	d := &driver{t: t, input: input, waiting: map[int]chan *result{}}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.read(output)
	}()
	t.Cleanup(func() {
		_ = input.Close()
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v: %s", c.line[0], err, problems.String())
		}
	})
	return d
}

// read passes results on to the calls until the process ends.
func (d *driver) read(output io.Reader) {
	for lines := json.NewDecoder(bufio.NewReader(output)); ; {
		var r result
		if err := lines.Decode(&r); err != nil {
			d.fail(err)
			return
		}
		d.mu.Lock()
		call := d.waiting[r.Call]
		delete(d.waiting, r.Call)
		d.mu.Unlock()
		if call != nil {
			call <- &r
		}
	}
}

// fail ends the calls that wait, and those that come.
func (d *driver) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, call := range d.waiting {
		call <- &result{Error: "the driver has ended: " + err.Error()}
	}
	d.waiting = nil
}

// instance makes a client.
func (d *driver) instance(c client) instance {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last++
	c.Start = d.last
	d.send(c)
	return func() (vended, error) { return d.call(c.Start).vended() }
}

// call has a client obtain a token.
func (d *driver) call(client int) *result {
	call := make(chan *result, 1)
	d.mu.Lock()
	d.last++
	if d.waiting == nil {
		d.mu.Unlock()
		return &result{Error: "the driver has ended"}
	}
	d.waiting[d.last] = call
	d.send(map[string]int{"call": d.last, "client": client})
	d.mu.Unlock()
	return <-call
}

// send writes a command. The caller holds mu.
func (d *driver) send(command any) {
	if err := json.NewEncoder(d.input).Encode(command); err != nil {
		d.t.Error(err) // why it has ended is reported at the end of the test
	}
}

func (r *result) vended() (vended, error) {
	if r.Error != "" {
		return vended{}, &peerError{text: r.Error, code: r.Code, status: r.Status, timeout: r.Timeout}
	}
	v := vended{access: r.Access, kind: r.Kind}
	if r.Expires != nil {
		whole, part := math.Modf(*r.Expires)
		v.expires = time.Unix(int64(whole), int64(part*1e9))
	}
	return v, nil
}
