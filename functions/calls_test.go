package functions_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// take returns a function's calls to AWS since the last take: to DynamoDB, and
// to the others.
func (h *installation) take(function string) (store, rest map[string]int) {
	return h.aws[function].store.Take(), h.aws[function].rest.Take()
}

// checkCalls fails the test unless these are vend's calls since the last take.
func (h *installation) checkCalls(what string, store, rest map[string]int) {
	h.t.Helper()
	gotStore, gotRest := h.take("vend")
	h.t.Logf("%s: DynamoDB %v, others %v", what, gotStore, gotRest)
	if !maps.Equal(gotStore, store) || !maps.Equal(gotRest, rest) {
		h.t.Errorf("%s: calls to DynamoDB %v and others %v, want %v and %v", what, gotStore, gotRest, store, rest)
	}
}

type counted = map[string]int

// nextTokenLives sets the lifetime of a provider's next tokens. What follows
// must not depend on how busy the machine is.
func (h *installation) nextTokenLives(provider string, lifetime time.Duration) {
	h.t.Helper()
	expiry := fmt.Sprint(int(lifetime.Seconds()))
	if err := h.sim.SetFault(provider, simulator.Fault{Expiry: expiry}); err != nil {
		h.t.Fatal(err)
	}
}

func TestCallsToAWS(t *testing.T) {
	t.Parallel()
	const life = 3 * time.Second
	h := newInstallation(t, simulator.Options{Lifetime: life})
	h.put("minut", "minut", nil)
	h.start("vend")
	h.checkCalls("a start", counted{"GetItem": 1}, counted{})
	h.token("minut")
	store, rest := h.take("vend")
	t.Logf("a credential's very first vend: DynamoDB %v, others %v", store, rest)
	h.token("minut")
	h.checkCalls("a vend from memory", counted{}, counted{})

	h.nextTokenLives("minut", time.Hour)
	time.Sleep(life)
	h.token("minut")
	h.checkCalls("a renewal", counted{"BatchGetItem": 1, "UpdateItem": 2}, counted{})

	h.runtimes["vend"] = freshRuntime(h)
	h.start("vend")
	h.checkCalls("a second start", counted{"GetItem": 1}, counted{})
	h.token("minut")
	h.checkCalls("a cold vend of a stored token", counted{"BatchGetItem": 1}, counted{"Decrypt": 1})
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 {
		t.Errorf("minut had %d token requests, want 2", n)
	}
}

// A vend of a token that this process has not seen reads the token's row alone
// while the process knows the credential.
func TestWarmVendReadsOneRow(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", map[string]any{"allow": map[string]any{"scopes": []string{"read", "write"}}})
	h.start("vend")
	h.token("minut")
	h.vendByScope("read")
	h.runtimes["vend"] = freshRuntime(h)
	h.start("vend")
	h.token("minut")
	h.take("vend")
	h.vendByScope("read")
	h.checkCalls("a vend of another token of the credential", counted{"GetItem": 1}, counted{})
}

func TestColdVendOpensTwoKeysAtMost(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.start("rotate")
	h.checkDiscovery("rotate learns the credential, and seals its terms", rotate.Report{Learnt: 1})
	h.start("vend")
	first := h.token("minut")
	h.runtimes["vend"] = freshRuntime(h)
	h.start("vend")
	h.take("vend")
	if got := h.token("minut"); got.Fingerprint != first.Fingerprint {
		t.Errorf("token(minut) = %s, want %s", got.Fingerprint, first.Fingerprint)
	}
	h.checkCalls("a cold vend of what two others sealed", counted{"BatchGetItem": 1}, counted{"Decrypt": 2})
}

func TestColdVendOpensBothKeysAtOnce(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.start("rotate")
	h.checkDiscovery("rotate learns the credential, and seals its terms", rotate.Report{Learnt: 1})
	h.start("vend")
	h.token("minut")
	h.runtimes["vend"] = freshRuntime(h)
	h.start("vend")
	kms := h.aws["vend"].rest
	before := kms.All()["Decrypt"] // a call that gets no answer is repeated after three seconds
	arrived, release := kms.Hold("Decrypt", 0)
	vended := make(chan struct{})
	go func() {
		defer close(vended)
		_, _ = h.direct("admin", api.Request{Credential: "minut"})
	}()
	<-arrived
	both := func() bool { return kms.All()["Decrypt"] == before+2 }
	for end := time.Now().Add(2 * time.Second); !both() && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if !both() {
		t.Error("KMS had one call of Decrypt while the first was held, want both at once")
	}
	release()
	<-vended
}

func TestItemsAreWhatTheTableExpects(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.put("monta", "monta", nil)
	h.start("vend")
	for _, name := range []string{"minut", "monta"} {
		h.token(name)
	}
	all, err := h.items.Scan(t.Context(), &dynamodb.ScanInput{TableName: &h.table})
	if err != nil || len(all.Items) != 4 {
		t.Fatalf("Scan() = %d items, %v, want two of each credential", len(all.Items), err)
	}
	due, err := h.items.Scan(t.Context(), &dynamodb.ScanInput{TableName: &h.table, IndexName: aws.String(dynamo.Index)})
	if err != nil || len(due.Items) != 2 {
		t.Errorf("Scan(index) = %d items, %v, want one of each credential", len(due.Items), err)
	}
	for _, item := range all.Items {
		if _, has := item[h.stack.TTL]; !has && item[dynamo.IndexSortKey] != nil {
			t.Errorf("the entry of %v has no %s, want it to expire", item[dynamo.PartitionKey], h.stack.TTL)
		}
	}
	for _, item := range due.Items {
		if len(item) > 6 {
			t.Errorf("an item of the index has %d attributes, want 6 at most", len(item))
		}
	}
}
