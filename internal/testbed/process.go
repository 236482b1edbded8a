// Package testbed is where tests find AWS, and what else they need besides Go
// code: servers on a free port of 127.0.0.1, as children that do not outlive
// the test binary. Only tests import it.
//
// What a server needs is installed once, pinned, into .cache/testbed of the
// repository. Where something is missing that has to be on the machine, the
// test fails with a sentence that says what: it is never skipped.
package testbed

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Endpoint is where a server answers: http://127.0.0.1:PORT, or https.
type Endpoint string

const (
	startWithin  = 3 * time.Minute // how long a server may take until it answers, on a machine however busy
	startTries   = 3               // ports; another program may take one between its choice and its use
	lastOutput   = 4 << 10         // how much of a server's output stands in an error
	probeTimeout = 2 * time.Second
)

// server says how to run one: the program and its arguments for a port.
type server struct {
	name    string // in messages
	dir     string // to run in; "": the test's own
	env     []string
	roots   *x509.CertPool // whom to trust under TLS; nil: it speaks plain HTTP
	command func(port int) []string
}

// start runs a server for one test, which ends it.
func start(t testing.TB, s server) Endpoint {
	t.Helper()
	p, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	return p.endpoint
}

// share makes of launch a server that all tests of one binary share: it is
// started by the first that asks, and ends with the binary. Where it can't be
// started, every test that asks fails.
func share(launch func() (server, error)) func(testing.TB) Endpoint {
	once := sync.OnceValues(func() (*process, error) {
		s, err := launch()
		if err != nil {
			return nil, err
		}
		return s.run()
	})
	return func(t testing.TB) Endpoint {
		t.Helper()
		p, err := once()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.over(); err != nil {
			t.Fatal(err)
		}
		return p.endpoint
	}
}

// run starts the server and waits until it answers.
func (s server) run() (p *process, err error) {
	for range startTries {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		if p, err = s.runOn(port); err == nil {
			return p, nil
		} else if p == nil {
			return nil, err
		}
	}
	return nil, p.over()
}

// runOn returns the process with the error where it ended by itself, which
// another port may help.
func (s server) runOn(port int) (*process, error) {
	line := s.command(port)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Dir = s.dir
	cmd.Env = append(cmd.Environ(), s.env...)
	p := &process{name: s.name, endpoint: s.at(port), roots: s.roots, cmd: cmd, ended: make(chan struct{})}
	if err := p.launch(); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	err := p.await()
	if err != nil && p.over() == nil {
		p.end()
		return nil, err
	}
	return p, err
}

func (s server) at(port int) Endpoint {
	scheme := "http"
	if s.roots != nil {
		scheme = "https"
	}
	return Endpoint(scheme + "://127.0.0.1:" + strconv.Itoa(port))
}

// process is a running server, or one that has ended.
type process struct {
	name     string
	endpoint Endpoint
	roots    *x509.CertPool
	cmd      *exec.Cmd
	output   tail
	ended    chan struct{} // closed once the process was waited for
}

// launch starts the child from a thread that lives as long as the child: Linux
// ends a child with the thread that made it, see endWithUs.
func (p *process) launch() error {
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.WaitDelay = time.Second
	endWithUs(p.cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.ended)
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // how it ended is in its output
		}
	}()
	return <-started
}

// await returns once any HTTP answer comes.
func (p *process) await() error {
	client := http.Client{
		Timeout:   probeTimeout,
		Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: p.roots}},
	}
	for end := time.Now().Add(startWithin); time.Now().Before(end); {
		if answer, err := client.Get(string(p.endpoint)); err == nil {
			return errors.Join(answer.Body.Close(), p.over())
		}
		select {
		case <-p.ended:
			return p.over()
		case <-time.After(20 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s does not answer after %v; it said:\n%s", p.name, startWithin, p.output.String())
}

// over is an error where the process has ended by itself.
func (p *process) over() error {
	select {
	case <-p.ended:
		return fmt.Errorf("%s has ended (%v); it said:\n%s", p.name, p.cmd.ProcessState, p.output.String())
	default:
		return nil
	}
}

// end kills the process, this one and no other, and waits for it.
func (p *process) end() {
	_ = p.cmd.Process.Kill() // the one error: it has ended already
	<-p.ended
}

// Ports are drawn from below those that systems give out by themselves (32768
// and up on Linux): between its choice and its use, nothing but another testbed
// can take one, and would have to draw the same.
const (
	lowestPort  = 10240
	highestPort = 32000
	portTries   = 100
)

// FreePorts returns different ports that were free just now.
func FreePorts(t testing.TB, n int) []string {
	t.Helper()
	var ports []string
	for len(ports) < n {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		if text := strconv.Itoa(port); !slices.Contains(ports, text) {
			ports = append(ports, text)
		}
	}
	return ports
}

func freePort() (int, error) {
	var err error
	for range portTries {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		var l net.Listener
		if l, err = (&net.ListenConfig{}).Listen(
			context.Background(), "tcp", "127.0.0.1:"+strconv.Itoa(port),
		); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (o *tail) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n, err := o.kept.Write(b)
	o.kept.Next(max(0, o.kept.Len()-lastOutput))
	return n, err
}

func (o *tail) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.kept.String()
}
