package bench_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/testbed"
)

// The bars of a cold start.
const (
	coldBar     = 1.25 // times the least program's time
	residentBar = 20e6 // bytes
	weightBar   = 9e6  // bytes, for linux/arm64
)

// cold measures from exec to the first answer.
func cold(b *testing.B) *section {
	s := newStage(b)
	s.fill(1)
	rounds := 41
	if *brief {
		rounds = 7
	}
	s.coldOnce("vend") // the pages of the programs are in memory for all from here on
	s.coldOnce("least")
	found := map[string]series{}
	for range rounds {
		for _, contender := range []string{"hello", "least", "vend"} {
			found[contender] = append(found[contender], s.coldOnce(contender))
		}
	}
	page := &section{
		title: "Cold",
		text: "From exec to the first answered invocation. *hello* is a hello-world of aws-lambda-go on bytes; *least* is the least program that makes the same calls with the same SDK: BatchGetItem and Decrypt, over TLS; *vend* is tokenvend, with a token that waits in the store, sealed. " +
			"DynamoDB is dynalite and KMS is moto, each behind TLS with RSA certificates as AWS has them; the roots are the machine's own bundle, as in a function.",
		head: []string{"", "exec → answer", "CPU", "resident", "linux/arm64 binary"},
	}
	for _, contender := range []string{"hello", "least", "vend"} {
		of := found[contender]
		page.add(contender, inMillis(of.median(took)), inMillis(of.median(cpu)), inMB(of.median(resident)), inMB(float64(weight(b, contender, "arm64"))))
	}
	ratio, size := found["vend"].beside(found["least"], took), float64(max(weight(b, "vend", "arm64"), weight(b, "rotate", "arm64")))
	page.add("vend ÷ least", times(ratio), times(found["vend"].beside(found["least"], cpu)), times(found["vend"].beside(found["least"], resident)), "")
	page.add("bar", fmt.Sprintf("%v × least: %s", coldBar, held(ratio, coldBar)), "", fmt.Sprintf("20 MB: %s", held(found["vend"].median(resident), residentBar)), fmt.Sprintf("9 MB, rotate too: %s", held(size, weightBar)))
	return page
}

// coldOnce starts a process for which an invocation waits already.
func (s *stage) coldOnce(contender string) sample {
	s.b.Helper()
	r := testbed.NewRuntime(20 * time.Second)
	answered := make(chan time.Time)
	go func() {
		s.invoke(r, ":admin", payloadFor(contender, 0))
		answered <- time.Now()
	}()
	environment := lines(s.tls)
	binary := program(s.b, contender, "")
	began := time.Now()
	p := r.Start(s.b, binary, environment...)
	found := sample{took: (<-answered).Sub(began), cpu: cpuOf(s.b, p.PID()), resident: residentOf(s.b, p.PID())}
	p.Kill()
	return found
}

// payloadFor asks a contender for the nth key of the credential.
func payloadFor(contender string, n int) []byte {
	if contender == "least" {
		return fmt.Appendf(nil, `{"credential":%q,"variant":%q}`, name, variant(n))
	}
	return fmt.Appendf(nil, `{"credential":%q,"scope":%q}`, name, choice(n))
}

func (s *stage) invoke(r *testbed.Runtime, alias string, payload []byte) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	answer, failed, err := r.Invoke(ctx, function+alias, payload)
	if failed != nil || err != nil {
		s.b.Errorf("%s: %v, %v", payload, failed, err)
	}
	return answer
}
