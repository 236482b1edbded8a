//go:build testall

package bench_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// The bars of a warm vend, each times its baseline.
const (
	memoryBar = 1.3
	storeBar  = 1.05 // the baseline reads both rows
	aloneBar  = 1.15 // the baseline makes the same call
)

// variant is how the store names the nth choice.
func variant(n int) string { return token.NewVariant("", "", choice(n)).String() }

// warm measures vends by a process that runs.
func warm(b *testing.B) *section {
	s := newStage(b, testbed.Dynalite(b))
	rounds, each := 30, 100
	if *brief {
		rounds, each = 10, 50
	}
	s.fill(rounds*each + 1)
	page := &section{
		title: "Warm",
		text: "One caller, one invocation after the other through the real Runtime API. *From memory*: an API Gateway HTTP API's event for a token that the process knows, its log line and metrics written, beside hello-world on the same event. " +
			"*From the store*: each invocation asks for another key, so that each costs one GetItem of the token's row, eventually consistent, and once a minute one BatchGetItem of the credential's row too. " +
			"Beside it, over TLS, the least program that remembers nothing and reads both rows each time, and the same program told to read the token's row alone. Each round is a hundred invocations of each.",
		head: []string{"", "p50", "p99", "CPU of one", "p50, ratio", "CPU, ratio", "bar"},
	}
	event := apiEvent(b)
	memory := s.duel("hello", "vend", rounds, each, func(string, int) (string, []byte) { return ":api", event })
	page.compare("from memory", "hello-world", memory, "p50 and CPU", memoryBar)
	store := s.duel("least", "vend", rounds, each, func(contender string, n int) (string, []byte) {
		return ":admin", payloadFor(contender, n)
	})
	page.compare("from the store", "the least program, both rows", store, "p50", storeBar)
	alone := s.duel("least", "vend", rounds, each, func(contender string, n int) (string, []byte) {
		return ":admin", aloneFor(contender, n)
	})
	page.compare("from the store", "the least program, one row", alone, "p50", aloneBar)
	return page
}

// aloneFor is [payloadFor], for a least program that reads the token's row
// alone. Its first request reads both rows, as vend's does.
func aloneFor(contender string, n int) []byte {
	payload := payloadFor(contender, n)
	if contender == "least" && n > 0 {
		payload = append(payload[:len(payload)-1], `,"alone":true}`...)
	}
	return payload
}

// apiEvent is the suite's golden event of an HTTP API, for this credential.
func apiEvent(b *testing.B) []byte {
	b.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "functions", "testdata", "http-api.event.json"))
	if err != nil {
		b.Fatal(err)
	}
	var compact any
	if err := json.Unmarshal(
		[]byte(strings.ReplaceAll(string(text), "/tokens/minut", "/tokens/"+name)), &compact,
	); err != nil {
		b.Fatal(err)
	}
	text, _ = json.Marshal(compact) // it was JSON
	return text
}

// duel is what two contenders were measured at, in turns.
type duel struct {
	theirs, ours         series // a round each: the median of its times, and the CPU of one invocation
	theirTimes, ourTimes []time.Duration
}

// duel has two processes answer in turns, so many rounds of so many invocations
// each.
func (s *stage) duel(
	theirs, ours string, rounds, each int, ask func(contender string, n int) (alias string, payload []byte),
) (d duel) {
	s.b.Helper()
	a, b := s.contender(theirs, ask), s.contender(ours, ask)
	a.round(0, 1) // a first answer is the section before's
	b.round(0, 1)
	for i := range rounds {
		d.theirs = append(d.theirs, a.round(1+i*each, each))
		d.ours = append(d.ours, b.round(1+i*each, each))
	}
	d.theirTimes, d.ourTimes = a.times[1:], b.times[1:]
	return d
}

// contender is a process that answers.
type contender struct {
	*stage
	name    string
	runtime *testbed.Runtime
	process *testbed.Bootstrap
	ask     func(string, int) (string, []byte)
	times   []time.Duration
}

func (s *stage) contender(name string, ask func(string, int) (string, []byte)) *contender {
	c := &contender{stage: s, name: name, runtime: testbed.NewRuntime(20 * time.Second), ask: ask}
	c.process = c.runtime.Start(s.b, program(s.b, name, ""), lines(s.tls)...)
	return c
}

// round asks for the keys from the nth on.
func (c *contender) round(n, each int) sample {
	before := cpuOf(c.b, c.process.PID())
	own := make([]time.Duration, each)
	for i := range own {
		alias, payload := c.ask(c.name, n+i)
		began := time.Now()
		c.invoke(c.runtime, alias, payload)
		own[i] = time.Since(began)
	}
	c.times = append(c.times, own...)
	return sample{took: median(own), cpu: (cpuOf(c.b, c.process.PID()) - before) / time.Duration(each)}
}

// compare puts both sides of a duel into the page.
func (s *section) compare(what, beside string, d duel, measured string, bar float64) {
	s.add(
		what+": "+beside, inMicros(d.theirs.median(took)), inMicros(float64(quantile(d.theirTimes, 0.99))),
		inMicros(d.theirs.median(cpu)), "", "", "",
	)
	slower, dearer := d.ours.beside(d.theirs, took), d.ours.beside(d.theirs, cpu)
	worst := slower
	if strings.Contains(measured, "CPU") {
		worst = max(slower, dearer)
	}
	s.add(what+": vend", inMicros(d.ours.median(took)), inMicros(
		float64(quantile(d.ourTimes, 0.99)),
	), inMicros(d.ours.median(cpu)),
		times(slower), times(dearer), fmt.Sprintf("%s %v ×: %s", measured, bar, held(worst, bar)))
}
