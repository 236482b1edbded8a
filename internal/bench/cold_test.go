//go:build testall

package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// The targets for a cold start.
const (
	coldBar     = 1.25   // times the least program's time
	residentBar = 20e6   // bytes
	weightBar   = 10.5e6 // bytes, for linux/arm64
)

// cold measures from exec to the first response.
func cold(b *testing.B) *section {
	s := newStage(b, testbed.Dynalite(b))
	s.fill(1)
	rounds := 41
	if *brief {
		rounds = 7
	}
	contenders := []string{"hello", "least", "vend"}
	found := s.coldTimes(contenders, rounds, func(path string) string { return path })
	page := &section{
		title: "Cold",
		text: "From exec to the first answered invocation. *hello* is a hello-world of aws-lambda-go on bytes; *least* is the least program that makes the same calls with the same SDK: BatchGetItem and Decrypt, over TLS; *vend* is tokenvend, with a token that waits in the store, sealed. " +
			"DynamoDB is dynalite and KMS is moto, each behind TLS with RSA certificates as AWS has them; the roots are the machine's own bundle, as in a function.",
		head: []string{"", "exec → answer", "CPU", "resident", "linux/arm64 binary"},
	}
	for _, contender := range contenders {
		of := found[contender]
		page.add(
			contender, inMillis(of.median(took)), inMillis(of.median(cpu)), inMB(of.median(resident)),
			inMB(float64(weight(b, contender, "arm64"))),
		)
	}
	ratio, size := found["vend"].beside(found["least"], took), float64(
		max(weight(b, "vend", "arm64"), weight(b, "rotate", "arm64")),
	)
	page.add(
		"vend ÷ least", times(ratio), times(found["vend"].beside(found["least"], cpu)),
		times(found["vend"].beside(found["least"], resident)), "",
	)
	page.add(
		"bar", fmt.Sprintf("%v × least: %s", coldBar, held(ratio, coldBar)), "",
		fmt.Sprintf("20 MB: %s", held(found["vend"].median(resident), residentBar)),
		fmt.Sprintf("10.5 MB, rotate too: %s", held(size, weightBar)),
	)
	for _, memory := range []int{128, 256, 512} {
		s.coldUnder(page, contenders, memory, rounds/4)
	}
	return page
}

// coldTimes starts the contenders in turns. Their first starts load the
// programs' pages into memory and do not count.
func (s *stage) coldTimes(contenders []string, rounds int, around func(path string) string) map[string]series {
	s.b.Helper()
	found, binaries := map[string]series{}, map[string]string{}
	for _, contender := range contenders {
		binaries[contender] = around(program(s.b, contender, ""))
		s.coldOnce(contender, binaries[contender])
	}
	for range rounds {
		for _, contender := range contenders {
			found[contender] = append(found[contender], s.coldOnce(contender, binaries[contender]))
		}
	}
	return found
}

// coldUnder adds a row of what the share of a processor that goes with so much
// memory makes of it. Lambda gives a start a whole one, and holds only what
// comes after to the share; here all of it is held.
func (s *stage) coldUnder(page *section, contenders []string, memory, rounds int) {
	s.b.Helper()
	q, err := newQuota(s.b, memory)
	if err != nil {
		page.add(
			fmt.Sprintf("at %d MB", memory), "not measured: this machine allows no cgroups ("+err.Error()+")", "", "",
			"",
		)
		return
	}
	found := s.coldTimes(contenders, rounds, func(path string) string { return q.around(s.b, path) })
	page.add(fmt.Sprintf("at %d MB: hello, least, vend", memory),
		fmt.Sprintf(
			"%s, %s, %s; vend %s least", inMillis(found["hello"].median(took)), inMillis(found["least"].median(took)),
			inMillis(found["vend"].median(took)),
			times(found["vend"].beside(found["least"], took))), "", "", "")
}

// coldOnce starts a process for which an invocation is already waiting.
func (s *stage) coldOnce(contender, binary string) sample {
	s.b.Helper()
	r := testbed.NewRuntime(20 * time.Second)
	answered := make(chan time.Time)
	go func() {
		s.invoke(r, ":admin", payloadFor(contender, 0))
		answered <- time.Now()
	}()
	environment := lines(s.tls)
	began := time.Now()
	p := r.Start(s.b, binary, environment...)
	found := sample{took: (<-answered).Sub(began), cpu: cpuOf(s.b, p.PID()), resident: residentOf(s.b, p.PID())}
	p.Kill()
	return found
}

// payloadFor returns a contender's request for the nth key of the credential.
func payloadFor(contender string, n int) []byte {
	if contender == "least" {
		return fmt.Appendf(nil, `{"credential":%q,"variant":%q}`, name, variant(n))
	}
	return fmt.Appendf(nil, `{"credential":%q,"scope":%q}`, name, choice(n))
}

func (s *stage) invoke(r *testbed.Runtime, alias string, payload []byte) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	answer, failed, err := r.Invoke(ctx, function+alias, payload)
	if failed != nil || err != nil {
		s.b.Errorf("%s: %v, %v", payload, failed, err)
	}
	return answer
}
