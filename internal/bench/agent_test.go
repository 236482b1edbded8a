//go:build testall

package bench_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// The goals of the Lambda extension.
const (
	goalInit     = 10 * time.Millisecond
	goalResident = 15e6 // bytes
	goalMedian   = 150 * time.Microsecond
	goalP99      = time.Millisecond
)

const (
	extensionKey = "session-token"
	coldStarts   = 500
)

// agent measures the Lambda extension: its start, its memory, a call of the
// function beside it, and many starts at once.
func agent(b *testing.B) *section {
	d := testbed.StartDemo(b, program(b, "tokenvend", ""), "minut")
	page := &section{
		title: "Lambda extension",
		text: "The extension's real program under a stand-in of Lambda's Extensions API, with tokens of the one-machine " +
			"server. A call is `GET /tokens/minut` on localhost, by Go's HTTP client over a kept connection. The time of " +
			"the start is until the extension asks for its first event.",
		head: []string{"figure", "measured", "goal", ""},
	}
	starts, calls := 30, 20_000
	if *brief {
		starts, calls = 5, 2_000
	}
	var inits, processor []time.Duration
	var e *testbed.Extension
	var port string
	for range starts {
		port = testbed.FreePorts(b, 1)[0]
		e = startExtension(b, d, port)
		inits, processor = append(inits, e.Init()), append(processor, cpuOf(b, e.PID()))
	}
	took := make([]time.Duration, calls)
	web := &http.Client{}
	for i := range took {
		began := time.Now()
		if err := askExtension(web, port); err != nil {
			b.Fatal(err)
		}
		took[i] = time.Since(began)
	}
	resident := residentOf(b, e.PID())
	page.goal("start, median of "+strconv.Itoa(starts), float64(median(inits)), float64(goalInit), inMillis)
	page.add("processor time of a start, median", inMillis(float64(median(processor))), "", "")
	page.goal("resident at most, after "+strconv.Itoa(calls)+" calls", float64(resident), goalResident, inMB)
	page.goal("a call, median", float64(median(took)), float64(goalMedian), inMicros)
	page.goal("a call, 99th percentile", float64(quantile(took, 0.99)), float64(goalP99), inMicros)
	coldHerd(b, page, d)
	return page
}

// goal adds a row with a figure that must not be above its goal.
func (s *section) goal(name string, figure, goal float64, format func(float64) string) {
	s.add(name, format(figure), format(goal), held(figure, goal))
}

// coldHerd starts many extensions at once, each with a call of its function,
// and adds what became of them.
func coldHerd(b *testing.B, page *section, d *testbed.Demo) {
	// A credential whose token nobody has asked for yet.
	secrets := filepath.Join(d.Home, ".tokenvend", "credentials")
	secret, err := os.ReadFile(filepath.Join(secrets, "monta.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(secrets, "herd.json"), secret, 0o600)
	}
	if err != nil {
		b.Fatal(err)
	}
	before := tokenRequests(b, d, "monta")
	n := coldStarts
	if *brief {
		n = 50
	}
	ports := testbed.FreePorts(b, n)
	var failed atomic.Int64
	var all sync.WaitGroup
	began := time.Now()
	for _, port := range ports {
		all.Go(func() {
			e := startExtension(b, d, port)
			web := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			if err := askExtensionFor(web, port, "herd"); err != nil {
				b.Logf("a cold start: %v; the extension wrote %s", err, e.Output())
				failed.Add(1)
			}
			e.End()
		})
	}
	all.Wait()
	name := fmt.Sprintf("%d cold starts at once, with a call each", n)
	page.add(name+": all answered within", inMillis(float64(time.Since(began))), "", "")
	page.add(name+": errors", fmt.Sprint(failed.Load()), "0", held(float64(failed.Load()), 0))
	requests := tokenRequests(b, d, "monta") - before
	page.add(name+": requests to the provider", fmt.Sprint(requests), "1", held(float64(requests), 1))
}

func startExtension(b *testing.B, d *testbed.Demo, port string) *testbed.Extension {
	b.Helper()
	return testbed.StartExtension(b, program(b, "extension", ""), "TOKENVEND_URL="+d.URL, "TOKENVEND_AGENT_PORT="+port,
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local",
		"AWS_SESSION_TOKEN="+extensionKey)
}

func askExtension(web *http.Client, port string) error { return askExtensionFor(web, port, "minut") }

func askExtensionFor(web *http.Client, port, name string) error {
	r, err := http.NewRequest(http.MethodGet, "http://localhost:"+port+"/tokens/"+name, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Tokenvend-Agent-Key", extensionKey)
	answer, err := web.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("the extension answers %s", answer.Status)
	}
	return err
}

// tokenRequests returns how many token requests a simulated provider has seen.
func tokenRequests(b *testing.B, d *testbed.Demo, provider string) int {
	b.Helper()
	answer, err := http.Get(d.Control + "/stats")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var all simulator.Stats
	if err := json.NewDecoder(answer.Body).Decode(&all); err != nil {
		b.Fatal(err)
	}
	return all.Providers[provider].TokenRequests
}
