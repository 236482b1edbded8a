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
			"One pass of %d workers, each a process of the rotate function, over so many credentials with a token each, of which a tenth is due, at one provider that takes %v for each answer. ",
			workers, latency,
		) +
			"DynamoDB, KMS and Secrets Manager are the stand-in in Go, in the process that measures and on the same two processors, as the provider is: the pass by the clock is their time too. " +
			"CPU is that of the worker that used most, and *at 512 MB* the time that it takes at least with 512/1,769 of a processor, as Lambda gives. " +
			"Resident is the largest that a worker had, with Lambda's limit of 512 MB told to it.",
		head: []string{
			"credentials", "row format", "pass", "renewed", "CPU", "at 512 MB", "resident", "calls for each renewal",
			"queries", "target",
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
	plain, err := s.sealer.Open(s.b.Context(), e.Key.Credential, e.Sealed, row.Additional(e))
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
// due, a tenth of all. No pass opens the rows of the others: they are copies.
func (s *crowd) grow(size int) {
	s.b.Helper()
	s.due = size / 10
	each(s.size, size, writers, func(n int) {
		isDue := n < s.size+s.due
		called := fmt.Sprintf("c%06d", n)
		if isDue { // a pass reads no other secret
			s.putNamed(called, s.record.Terms.Version)
		}
		record, entry := s.record, s.entry
		record.Key, record.Terms.Name = token.RecordKey(called), called
		entry.Key = token.Key{Credential: called}
		entry.AskedAt, entry.NextAt = time.Now(), time.Now().Add(24*time.Hour)
		if isDue {
			entry.NextAt = time.Now().Add(-time.Minute)
		}
		entry.AlarmAt = entry.NextAt.Add(time.Hour)
		for _, r := range []row.Row{record, entry} {
			r.Revision = 0
			if isDue {
				if err := r.Seal(s.b.Context(), s.sealer, s.format); err != nil {
					s.b.Error(err)
				}
			}
			if _, err := s.table.Replace(s.b.Context(), store.Entry{Key: r.Key}, r.Entry); err != nil {
				s.b.Error(err)
			}
		}
	})
	s.size = size
}

// pass has the workers renew what is due, each at the same time.
func (s *crowd) pass(page *section) {
	s.b.Helper()
	table := testbed.CountCalls(s.b, testbed.Endpoint(s.clear["AWS_ENDPOINT_URL_DYNAMODB"]), nil)
	rest := testbed.CountCalls(s.b, testbed.Endpoint(s.clear["AWS_ENDPOINT_URL_KMS"]), nil)
	passes := make([]pass, workers)
	began := time.Now()
	var all sync.WaitGroup
	for i := range passes {
		all.Go(func() { passes[i] = s.worker(i+1, table.Endpoint, rest.Endpoint) })
	}
	all.Wait()
	took, renewed := time.Since(began), 0
	var most pass
	for _, p := range passes {
		renewed += p.report.Renewed
		most.cpu, most.resident = max(most.cpu, p.cpu), max(most.resident, p.resident)
	}
	limited := most.cpu.Seconds() * wholeProcessor / workerMemory
	inTime := max(limited, took.Seconds())
	if renewed < s.due {
		inTime = passTarget + 1
	}
	calls, queries := perRenewal(renewed, table.Take(), rest.Take())
	page.add(
		fmt.Sprint(s.size), string(s.format), fmt.Sprintf("%.1f s", took.Seconds()),
		fmt.Sprintf("%d of %d", renewed, s.due), fmt.Sprintf("%.1f s", most.cpu.Seconds()),
		fmt.Sprintf("%.1f s", limited), inMB(resident(most.sample)), calls, fmt.Sprint(queries),
		fmt.Sprintf("60 s: %s; 128 MB: %s", held(inTime, passTarget), held(resident(most.sample), memoryTarget)),
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

// worker starts a worker and has it make its pass.
func (s *crowd) worker(n int, table, rest testbed.Endpoint) (p pass) {
	s.b.Helper()
	r := testbed.NewRuntime(time.Duration(s.stack.Functions["RotateFunction"].Timeout) * time.Second)
	process := r.Start(s.b, program(s.b, "rotate", ""), append(lines(s.clear),
		"AWS_ENDPOINT_URL_DYNAMODB="+string(table), "AWS_ENDPOINT_URL_KMS="+string(rest),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER="+string(rest), boot.EnvRowFormat+"="+string(s.format),
		fmt.Sprintf("AWS_LAMBDA_FUNCTION_MEMORY_SIZE=%d", workerMemory))...)
	defer process.Kill()
	answer := s.invoke(r, "", fmt.Appendf(nil, `{"worker":%d,"of":%d}`, n, workers))
	p.cpu, p.resident = cpuOf(s.b, process.PID()), residentOf(s.b, process.PID())
	if err := json.Unmarshal(answer, &p.report); err != nil {
		s.b.Errorf("%v: %s", err, answer)
	}
	return p
}
