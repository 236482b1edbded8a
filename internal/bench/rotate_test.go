//go:build testall

package bench_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/credential/folder"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/seal/keyfile"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

const (
	latency      = 100 * time.Millisecond // of the provider
	passTarget   = 60.0                   // seconds
	memoryTarget = 128e6                  // bytes resident
	growTarget   = 1.1                    // times the pass over the smallest table
)

// rotation measures passes of rotate: what is due is the same, what exists
// grows.
func rotation(b *testing.B) *section {
	many := 5000
	if *brief {
		many = 200
	}
	s := newStage(b, testbed.DynamoDBLocal(b))
	s.put(name, map[string]any{"allow": map[string]any{"scopes": words()}})
	page := &section{
		title: "Rotate",
		text: fmt.Sprintf(
			"One pass with %d entries due, at one provider that takes %v for each answer; what exists besides is not due. *Function* is the real rotate function over DynamoDB Local and moto, with a fifth of that due: that emulator takes several times as much of the processor as the function, and would be what is measured. ",
			many, latency,
		) +
			"*bbolt* is the same Sweep over the file of one machine, whose 10,000 writes each reach the disk: no emulator of DynamoDB can be filled with a million rows in time, and dynalite reads its whole index for each query. CPU says how long a pass takes at least where the processor is the limit: the row of 512 MB is worked out from the one above it, for so many due and 512/1,769 of a processor, as Lambda gives.",
		head: []string{"entries", "store", "pass", "renewed", "CPU", "resident", "calls to AWS", "bar"},
	}
	page.atMemory(512, many, s.passesOfTheFunction(page, many/5))
	s.passesOfTheFile(page, many)
	return page
}

// pass is one, measured.
type pass struct {
	sample
	report rotate.Report
}

// passesOfTheFunction measures the function, over 10,000 and 100,000 entries,
// and returns the last pass.
func (s *stage) passesOfTheFunction(page *section, many int) (last pass) {
	s.b.Helper()
	rows := due(s.minted(secretsmanager.New(s.secrets, s.prefix()), s.sealer(false), many))
	put(s.b, dynamo.New(s.items, s.table), rows, writers)
	s.slow()
	var first pass
	filled := many
	for _, size := range []int{10_000, 100_000} {
		s.standIns(rows[1].Key, filled, size)
		if filled = size; first.took > 0 {
			s.makeDue(rows)
		}
		p, calls := s.passOfTheFunction()
		if first.took == 0 {
			first = p
		}
		page.passRow(size, many, "function", p, calls, first)
		last = p
	}
	return last
}

// atMemory says how long the function takes for so many due, with so many MB,
// if nothing but its processor holds it up.
func (s *section) atMemory(mb, many int, measured pass) {
	takes := measured.cpu.Seconds() * float64(many) / float64(max(measured.report.Renewed, 1))
	pass := takes * wholeProcessor / float64(mb)
	s.add(
		"any", fmt.Sprintf("function, %d MB", mb), fmt.Sprintf("%.1f s", pass), fmt.Sprint(many),
		fmt.Sprintf("%.1f s", takes), "", "", "60 s: "+held(pass, passTarget),
	)
}

func (s *stage) passOfTheFunction() (p pass, calls string) {
	s.b.Helper()
	table, rest := testbed.CountCalls(
		s.b, testbed.Endpoint(s.clear["AWS_ENDPOINT_URL_DYNAMODB"]), nil,
	), testbed.CountCalls(s.b, testbed.Endpoint(s.clear["AWS_ENDPOINT_URL_KMS"]), nil)
	r := testbed.NewRuntime(time.Duration(s.stack.Functions["RotateFunction"].Timeout) * time.Second)
	process := r.Start(s.b, program(s.b, "rotate", ""), append(lines(s.clear),
		"AWS_ENDPOINT_URL_DYNAMODB="+string(table.Endpoint), "AWS_ENDPOINT_URL_KMS="+string(rest.Endpoint),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER="+string(rest.Endpoint))...)
	table.Take()
	began := time.Now()
	answer := s.invoke(r, "", []byte("{}"))
	p.sample = sample{took: time.Since(began), cpu: cpuOf(s.b, process.PID()), resident: residentOf(s.b, process.PID())}
	process.Kill()
	if err := json.Unmarshal(answer, &p.report); err != nil {
		s.b.Errorf("%v: %s", err, answer)
	}
	return p, strings.TrimPrefix(
		fmt.Sprint(table.Take())+", "+strings.TrimPrefix(fmt.Sprint(rest.Take()), "map"), "map",
	)
}

// passesOfTheFile measures the Sweep over a bbolt file.
func (s *stage) passesOfTheFile(page *section, many int) {
	s.b.Helper()
	data := s.b.TempDir()
	source, err := folder.New(filepath.Join(data, "credentials"))
	if err != nil {
		s.b.Fatal(err)
	}
	id, secret := s.sim.ClientFor("miden")
	text, _ := json.Marshal(map[string]any{ // strings: cannot fail
		"provider": "miden", "client_id": id, "client_secret": secret, "token_url": s.sim.TokenURL("miden"),
		"allow": map[string]any{"scopes": words()},
	})
	sealer, err := keyfile.Open(filepath.Join(data, "seal.key"))
	if err == nil {
		err = source.Write(name, text)
	}
	if err == nil {
		err = s.sim.SetFault("miden", simulator.Fault{})
	}
	if err != nil {
		s.b.Fatal(err)
	}
	rows := due(s.minted(source, sealer, many))
	s.slow()
	// the small one before and after, for what the machine did meanwhile
	sizes := []int{10_000, 1_000_000, 10_000}
	if *brief {
		sizes = sizes[:1]
	}
	passes := make([]pass, len(sizes))
	for i, size := range sizes {
		if err := os.RemoveAll(filepath.Join(data, "entries.db")); err != nil {
			s.b.Fatal(err)
		}
		fileOf(s.b, data, rows, size-many)
		passes[i] = s.passOfTheFile(data)
	}
	small := passes[0]
	small.took = (small.took + passes[len(passes)-1].took) / 2
	for i, size := range sizes {
		page.passRow(size, many, "bbolt", passes[i], "", small)
		if size == sizes[0] {
			page.rows[len(page.rows)-1][len(page.head)-1] = "" // what others are held to is held to nothing
		}
	}
}

func (s *stage) passOfTheFile(data string) (p pass) {
	s.b.Helper()
	cmd := exec.Command(program(s.b, "sweep", ""))
	cmd.Env = []string{
		"SWEEP_DATA=" + data, "SWEEP_PROXY=" + s.clear[boot.EnvProxy], "SSL_CERT_FILE=" + s.clear["SSL_CERT_FILE"],
		"SSL_CERT_DIR=/nonexistent",
	}
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		s.b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.b.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		s.b.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadBytes('\n')
	p.sample.took = time.Since(began)
	if err == nil {
		p.cpu, p.resident = cpuOf(s.b, cmd.Process.Pid), residentOf(s.b, cmd.Process.Pid)
		err = json.Unmarshal(said, &p.report)
	}
	_ = in.Close()
	if waited := cmd.Wait(); err != nil || waited != nil {
		s.b.Fatalf("%v, %v: %s", err, waited, said)
	}
	return p
}

// slow makes the provider take its time.
func (s *stage) slow() {
	s.b.Helper()
	if err := s.sim.SetFault("miden", simulator.Fault{Delay: latency}); err != nil {
		s.b.Fatal(err)
	}
}

// passRow judges a pass by what it renewed: one that left something has not met
// its time.
func (s *section) passRow(size, many int, where string, p pass, calls string, small pass) {
	each := func(p pass) float64 { return took(p.sample) / float64(max(p.report.Renewed, 1)) }
	inTime, grew := held(p.took.Seconds(), passTarget), each(p)/each(small)
	if p.report.Renewed < many {
		inTime = held(passTarget+1, passTarget)
	}
	s.add(fmt.Sprint(size), where, fmt.Sprintf("%.1f s", p.took.Seconds()), fmt.Sprintf(
		"%d of %d", p.report.Renewed, many,
	),
		fmt.Sprintf("%.1f s", p.cpu.Seconds()), inMB(resident(p.sample)), calls,
		fmt.Sprintf(
			"60 s: %s; 128 MB: %s; %.2f × the small one for each: %s", inTime, held(resident(p.sample), memoryTarget),
			grew, held(grew, growTarget),
		))
}
