//go:build testall

package bench_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
)

// Results of HashiCorp Vault 1.21 with the oauthapp plugin on such a machine:
// cached reads per second, by callers.
var vaults = map[int]float64{1: 2330, 16: 4269, 64: 3438}

const (
	vaultTarget = 3    // times Vault, at 16 callers
	bareTarget  = 0.65 // times bare net/http, at 16 callers
)

// machine measures tokenvend serve.
func machine(b *testing.B) *section {
	rounds, length := 5, 2*time.Second
	if *brief {
		rounds, length = 2, time.Second
	}
	at := serve(b)
	bare := startBare(b, at.request)
	page := &section{
		title: "One machine",
		text: "`tokenvend serve`, a token from memory over HTTP, each call's SigV4 signature checked and its line logged to a file; beside a bare net/http server that gets the same requests, answers with the same bytes, and checks and logs nothing. Callers are in the same machine: connections that are kept, a request that was signed once, and the next as soon as the answer is there. " +
			"Vault is what HashiCorp Vault 1.21 with the oauthapp plugin once answered on such a machine (p50 0.385, 3.3 and 17.7 ms, 397 µs of CPU each): an absolute figure, and of another day.",
		head: []string{
			"callers", "bare, calls/s", "tokenvend, calls/s", "p50", "p99", "CPU of one, bare",
			"CPU of one, tokenvend", "÷ bare", "÷ Vault", "bar",
		},
	}
	for _, callers := range []int{1, 16, 64} {
		var theirs, ours []load
		for range rounds {
			theirs = append(theirs, bare.under(b, callers, length))
			ours = append(ours, at.under(b, callers, length))
		}
		page.machineRow(callers, theirs, ours)
	}
	return page
}

func (s *section) machineRow(callers int, theirs, ours []load) {
	ratios := make([]float64, len(ours))
	for i := range ours {
		ratios[i] = ours[i].rate / theirs[i].rate
	}
	theirRate, rate := medianOf(theirs, func(l load) float64 {
		return l.rate
	}), medianOf(ours, func(l load) float64 { return l.rate })
	bar := ""
	if callers == 16 {
		bar = fmt.Sprintf(
			"≥ %v × bare: %s; ≥ %v × Vault: %s", bareTarget, held(bareTarget, median(ratios)), vaultTarget,
			held(vaultTarget, rate/vaults[callers]),
		)
	}
	s.add(fmt.Sprint(callers), fmt.Sprintf("%.0f", theirRate), fmt.Sprintf("%.0f", rate),
		inMillis(medianOf(ours, func(l load) float64 {
			return float64(l.p50)
		})), inMillis(medianOf(ours, func(l load) float64 { return float64(l.p99) })),
		inMicros(medianOf(theirs, func(l load) float64 {
			return float64(l.cpu)
		})), inMicros(medianOf(ours, func(l load) float64 { return float64(l.cpu) })),
		times(median(ratios)), times(rate/vaults[callers]), bar)
}

// load is the result of a load test.
type load struct {
	rate          float64 // calls per second
	p50, p99, cpu time.Duration
}

func medianOf(loads []load, of func(load) float64) float64 {
	values := make([]float64, len(loads))
	for i, l := range loads {
		values[i] = of(l)
	}
	return median(values)
}

// server is a server that gets the same request repeatedly.
type server struct {
	pid     int // 0: not a process of this machine
	address string
	over    *tls.Config // nil: without TLS
	request []byte      // the bytes of the request
}

func (s server) dial() (net.Conn, error) {
	if s.over != nil {
		return tls.Dial("tcp", s.address, s.over)
	}
	return net.Dial("tcp", s.address)
}

// cpu returns the processor time of the server. 0: it is not known.
func (s server) cpu(b *testing.B) time.Duration {
	b.Helper()
	if s.pid == 0 {
		return 0
	}
	return cpuOf(b, s.pid)
}

// under runs so many callers for so long.
func (s server) under(b *testing.B, callers int, length time.Duration) load {
	b.Helper()
	// one thread is enough for all callers, and a second would take processor
	// time from the server
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	before, began := s.cpu(b), time.Now()
	each := make([][]time.Duration, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			times, err := s.ask(began.Add(length))
			if each[i] = times; err != nil {
				b.Error(err)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	var every []time.Duration
	for _, times := range each {
		every = append(every, times...)
	}
	n := max(len(every), 1)
	return load{
		rate: float64(n) / took.Seconds(), p50: median(every), p99: quantile(every, 0.99),
		cpu: (s.cpu(b) - before) / time.Duration(n),
	}
}

// ask sends the request over one connection until end and returns the response
// times.
func (s server) ask(end time.Time) (times []time.Duration, err error) {
	conn, err := s.dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for began := time.Now(); began.Before(end); {
		if _, err := conn.Write(s.request); err != nil {
			return times, err
		}
		if err := passOver(answers); err != nil {
			return times, fmt.Errorf("%s: %w", s.address, err)
		}
		now := time.Now()
		times, began = append(times, now.Sub(began)), now
	}
	return times, nil
}

// passOver reads a response with status 200 and a Content-Length and discards
// it. It uses little processor time, which the server needs.
func passOver(answers *bufio.Reader) error {
	status, err := answers.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("expected 200, not %q", status)
	}
	length := 0
	for line := status; len(line) > len("\r\n"); {
		if line, err = answers.ReadSlice('\n'); err != nil {
			return err
		}
		if value, is := bytes.CutPrefix(line, []byte("Content-Length: ")); is {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length == 0 {
		return errors.New("an answer without its length")
	}
	_, err = answers.Discard(length)
	return err
}

// serve starts tokenvend serve with a simulated provider and vends a first
// token.
func serve(b *testing.B) server {
	b.Helper()
	data := filepath.Join(b.TempDir(), "data")
	log, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(
		program(b, "tokenvend", ""), "serve", "--demo", "--data", data, "--listen", "127.0.0.1:0", "--demo-listen",
		"127.0.0.1:0",
	)
	cmd.Stderr = log
	start(b, cmd)
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		at, err := datafolder.Folder{Path: data, Named: true}.ServerInfo()
		if err == nil {
			s := server{
				pid: cmd.Process.Pid, address: strings.TrimPrefix(at.URL, "http://"), request: signed(b, at),
			}
			s.under(b, 1, 100*time.Millisecond)
			return s
		}
		if time.Now().After(end) {
			b.Fatal(err)
		}
	}
}

// signed returns the bytes of a signed request. The signature is valid for five
// minutes.
func signed(b *testing.B, at datafolder.ServerInfo) []byte {
	b.Helper()
	r, err := http.NewRequest(http.MethodGet, at.URL+"/tokens/minut", nil)
	if err != nil {
		b.Fatal(err)
	}
	none := sha256.Sum256(nil)
	keys := aws.Credentials{AccessKeyID: at.KeyID, SecretAccessKey: at.Secret.Reveal()}
	if err := v4.NewSigner().SignHTTP(
		b.Context(), keys, r, hex.EncodeToString(none[:]), "execute-api", at.Region, time.Now(),
	); err != nil {
		b.Fatal(err)
	}
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		b.Fatal(err)
	}
	return wire.Bytes()
}

func startBare(b *testing.B, request []byte) server {
	b.Helper()
	cmd := exec.Command(program(b, "bare", ""))
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start(b, cmd)
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return server{pid: cmd.Process.Pid, address: strings.TrimSpace(address), request: request}
}

// start runs a program until the benchmark ends.
func start(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}
