//go:build testall

package bench_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssecrets "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/credential/secretsmanager"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/row"
	"github.com/tokenvend/tokenvend/pkg/seal"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
	"github.com/tokenvend/tokenvend/pkg/store/memory"
	"github.com/tokenvend/tokenvend/pkg/token"
)

const (
	workers      = 4
	workerMemory = 512 // MB
	maxPasses    = 10
)

// credentials measures passes of four workers over many credentials, of which a
// tenth is due.
func credentials(b *testing.B) *section {
	sizes := []int{1000, 10_000, 100_000}
	if *brief {
		sizes = sizes[:1]
	}
	page := &section{
		title: "Credentials",
		text: fmt.Sprintf(
			"Passes of %d workers, each a process of the rotate function, over so many credentials with a token each, until the tenth that is due is renewed, at one provider that takes %v for each answer and 32 requests at once. ",
			workers, latency,
		) +
			"DynamoDB, KMS and Secrets Manager are the stand-in in Go, in the process that measures and on the same two processors, as the provider is: the time by the clock is theirs too. A pass starts its last renewal 24 s before its minute ends, and the next one continues. " +
			"CPU is that of the worker that used most, and *at 512 MB* the time that it takes at least with 512/1,769 of a processor, as Lambda gives. " +
			"Resident is the largest that a worker had, with Lambda's limit of 512 MB told to it.",
		head: []string{
			"credentials", "row format", "time, passes", "renewed", "CPU", "at 512 MB", "resident",
			"calls for each renewal", "queries of a pass", "target",
		},
	}
	for _, format := range []row.Format{row.Format2, row.Format3} {
		s := newCrowd(b, format)
		for _, size := range sizes {
			s.grow(size)
			s.pass(page)
		}
	}
	return page
}

// crowd is a stage of many credentials.
type crowd struct {
	*stage
	format        row.Format
	table         store.Store
	sealer        seal.Sealer
	record, entry row.Row // those of all, but for the name
	size, due     int     // credentials that there are, and that are due
}

func newCrowd(b *testing.B, format row.Format) *crowd {
	b.Helper()
	at := testbed.StandIn(b)
	s := &crowd{stage: stageOf(b, testbed.GoldenTemplate(b), at, at), format: format}
	s.table = dynamo.New(s.items, s.stage.table)
	s.sealer = s.stage.sealer(format.Buckets())
	s.putNamed(name, "")
	rows := memory.New()
	m := mint.New(mint.Config{
		Store: rows, Source: secretsmanager.New(s.secrets, s.prefix()), Sealer: s.sealer,
		HTTP: &http.Client{Transport: s.sim},
	})
	key := token.Key{Credential: name}
	if _, err := m.Token(b.Context(), key, mint.Want{Proactive: true}); err != nil {
		b.Fatal(err)
	}
	entries, err := rows.Get(b.Context(), store.Strong, token.RecordKey(name), key)
	if err != nil {
		b.Fatal(err)
	}
	s.record, s.entry = s.open(entries[0]), s.open(entries[1])
	s.slow()
	return s
}

func (s *crowd) open(e store.Entry) row.Row {
	s.b.Helper()
	opened := row.Row{Entry: e}
	plain, err := s.sealer.Open(s.b.Context(), e.Key.Credential, e.Sealed, row.AdditionalData(e))
	if err == nil {
		err = opened.Read(plain)
	}
	if err != nil {
		s.b.Fatal(err)
	}
	return opened
}

// putNamed stores a credential's secret in a version; "": any.
func (s *crowd) putNamed(credential, version string) {
	s.b.Helper()
	id, secret := s.sim.ClientFor("miden")
	value, _ := json.Marshal(map[string]any{ // strings: cannot fail
		"provider": "miden", "client_id": id, "client_secret": secret, "token_url": s.sim.TokenURL("miden"),
		"keep_warm": true,
	})
	in := &awssecrets.CreateSecretInput{
		Name: aws.String(s.prefix() + credential), SecretString: aws.String(string(value)),
	}
	if version != "" {
		in.ClientRequestToken = &version
	}
	if _, err := s.stage.secrets.CreateSecret(s.b.Context(), in); err != nil {
		s.b.Error(err)
	}
}

// grow adds credentials up to a number. The first of those that are added are
// due, a tenth of all. No pass opens the rows of the others: they are copies of
// those of one that is due.
func (s *crowd) grow(size int) {
	s.b.Helper()
	s.due = size / 10
	each(s.size, s.size+s.due, writers, func(n int) {
		called := credentialName(n)
		s.putNamed(called, s.record.Terms.Version)
		record, entry := s.record, s.entry
		record.Key, record.Terms.Name = token.RecordKey(called), called
		entry.Key = token.Key{Credential: called}
		entry.AskedAt, entry.NextAt = time.Now(), time.Now().Add(-time.Minute)
		entry.AlarmAt = entry.NextAt.Add(time.Hour)
		for _, r := range []row.Row{record, entry} {
			r.Revision = 0
			if err := r.Seal(s.b.Context(), s.sealer, s.format); err != nil {
				s.b.Error(err)
			}
			if _, err := s.table.Replace(s.b.Context(), store.Entry{Key: r.Key}, r.Entry); err != nil {
				s.b.Error(err)
			}
		}
	})
	like := credentialName(s.size)
	s.copies(token.RecordKey(like), s.size+s.due, size, token.RecordKey)
	s.copies(token.Key{Credential: like}, s.size+s.due, size, func(name string) token.Key {
		return token.Key{Credential: name}
	})
	s.size = size
}

func credentialName(n int) string { return fmt.Sprintf("c%06d", n) }

// pass has the workers renew what is due, each at the same time, in as many
// passes as that takes.
func (s *crowd) pass(page *section) {
	s.b.Helper()
	table := testbed.CountCalls(s.b, testbed.Endpoint(s.clear["AWS_ENDPOINT_URL_DYNAMODB"]), nil)
	rest := testbed.CountCalls(s.b, testbed.Endpoint(s.clear["AWS_ENDPOINT_URL_KMS"]), nil)
	var all [workers]*worker
	for i := range all {
		all[i] = s.start(table.Endpoint, rest.Endpoint)
		defer all[i].process.Kill()
	}
	began, renewed, failed, passes := time.Now(), 0, 0, 0
	for ; renewed < s.due && passes < maxPasses; passes++ {
		var reports [workers]rotate.Report
		var running sync.WaitGroup
		for i, w := range all {
			running.Go(func() { reports[i] = s.passOf(w, i+1) })
		}
		running.Wait()
		for _, r := range reports {
			renewed += r.Renewed
			failed += r.Failed
		}
	}
	took := time.Since(began)
	var most sample
	for _, w := range all {
		most.cpu = max(most.cpu, cpuOf(s.b, w.process.PID()))
		most.resident = max(most.resident, residentOf(s.b, w.process.PID()))
	}
	limited := most.cpu.Seconds() * wholeProcessor / workerMemory
	calls, queries := perRenewal(renewed, table.Take(), rest.Take())
	page.add(
		fmt.Sprint(s.size), string(s.format), fmt.Sprintf("%.1f s, %d", took.Seconds(), passes),
		fmt.Sprintf("%d of %d, %d attempts failed", renewed, s.due, failed),
		fmt.Sprintf("%.1f s", most.cpu.Seconds()), fmt.Sprintf("%.1f s", limited), inMB(resident(most)),
		calls, fmt.Sprint(queries/passes),
		fmt.Sprintf(
			"60 s: %s; 128 MB: %s", held(max(limited, took.Seconds()), passTarget), held(resident(most), memoryTarget),
		),
	)
}

// perRenewal returns how often each action was called for each renewal, and the
// number of queries, which does not depend on them.
func perRenewal(renewed int, calls ...map[string]int) (text string, queries int) {
	all := map[string]int{}
	for _, made := range calls {
		maps.Copy(all, made)
	}
	queries = all["Query"]
	delete(all, "Query")
	var parts []string
	for _, action := range slices.Sorted(maps.Keys(all)) {
		parts = append(parts, fmt.Sprintf("%.2f %s", float64(all[action])/float64(max(renewed, 1)), action))
	}
	return strings.Join(parts, ", "), queries
}

// worker is a process of the function.
type worker struct {
	runtime *testbed.Runtime
	process *testbed.Bootstrap
}

func (s *crowd) start(table, rest testbed.Endpoint) *worker {
	s.b.Helper()
	r := testbed.NewRuntime(time.Duration(s.stack.Functions["RotateFunction"].Timeout) * time.Second)
	return &worker{r, r.Start(s.b, program(s.b, "rotate", ""), append(lines(s.clear),
		"AWS_ENDPOINT_URL_DYNAMODB="+string(table), "AWS_ENDPOINT_URL_KMS="+string(rest),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER="+string(rest), boot.EnvRowFormat+"="+string(s.format),
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", workerMemory))...)}
}

// passOf has one worker make a pass.
func (s *crowd) passOf(w *worker, n int) rotate.Report {
	s.b.Helper()
	answer := s.invoke(w.runtime, "", fmt.Appendf(nil, `{"worker":%d,"of":%d}`, n, workers))
	var out struct {
		rotate.Report
		Error string
	}
	if err := json.Unmarshal(answer, &out); err != nil || out.Error != "" {
		s.b.Errorf("pass %d of %d = %s, %v, want no error", n, workers, answer, err)
	}
	return out.Report
}
