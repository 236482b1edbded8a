package functions_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/rotate"
	"github.com/tokenvend/tokenvend/pkg/store/dynamo"
)

// pass is rotate's answer.
type pass struct {
	rotate.Report
	Error string `json:"error"`
}

// rotate invokes rotate, which never fails.
func (h *installation) rotate(payload []byte) pass {
	h.t.Helper()
	answer, failed := h.invoke("rotate", "", payload)
	if failed != nil {
		h.t.Errorf("invoke(rotate) = %v, want nil: Lambda would repeat the whole pass", failed)
		return pass{}
	}
	return read[pass](h.t, answer)
}

// tick sends the schedule's event.
func (h *installation) tick() pass {
	h.t.Helper()
	return h.rotate(golden(h.t, "schedule.event.json"))
}

// discover sends the event of the schedule of discoveries.
func (h *installation) discover() pass {
	h.t.Helper()
	return h.rotate([]byte(`{"discover":true}`))
}

func (h *installation) checkDiscovery(what string, want rotate.Report) {
	h.t.Helper()
	if got := h.discover(); got.Error != "" || got.Report != want {
		h.t.Errorf("discover() with %s = %+v, want %+v", what, got, want)
	}
}

func (h *installation) checkTick(what string, want rotate.Report) {
	h.t.Helper()
	if got := h.tick(); got.Error != "" || got.Report != want {
		h.t.Errorf("tick() with %s = %+v, want %+v", what, got, want)
	}
}

// early is a credential whose first token is renewed soon: its jitter, a hash
// of the name, is near the maximum.
const early = "minut-473"

func TestRotateRenewsWhatIsDue(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{Lifetime: 62 * time.Second})
	warm := map[string]any{"keep_warm": true}
	h.put(early, "minut", warm)
	h.start("rotate")
	h.start("vend")
	h.checkDiscovery("a secret that was added", rotate.Report{Learnt: 1})
	h.checkTick("a secret that was added", rotate.Report{Renewed: 1})
	h.take("rotate")
	h.checkTick("nothing to do", rotate.Report{})
	h.passCalls("a pass with nothing to do", counted{"Query": 2 * dynamo.Shards}, counted{})
	h.checkDiscovery("nothing new", rotate.Report{})
	h.passCalls("a discovery with nothing new", counted{}, counted{"ListSecrets": 1})
	first := h.status(early)
	if first.State != api.Fresh || first.Generation != 1 || time.Until(first.NextAt) > 50*time.Second {
		t.Fatalf("status after the first pass = %+v, want fresh of generation 1, due within 50s", first)
	}
	time.Sleep(time.Until(first.NextAt))
	h.take("rotate")
	h.checkTick("a token that is due", rotate.Report{Renewed: 1})
	h.passCalls("a pass with one renewal", counted{"Query": 2 * dynamo.Shards, "BatchGetItem": 1, "UpdateItem": 2},
		counted{})
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 {
		t.Errorf("minut had %d token requests, want 2", n)
	}
	if second := h.status(early); second.Generation != 2 || second.Fingerprint == first.Fingerprint ||
		second.State != api.Fresh {
		t.Errorf("status after the renewal = %+v, want another token of generation 2", second)
	}
}

// passCalls fails the test unless these are rotate's calls to AWS since the
// last take. docs/explanation/cost.md has their price.
func (h *installation) passCalls(what string, store, rest map[string]int) {
	h.t.Helper()
	gotStore, gotRest := h.take("rotate")
	if !maps.Equal(gotStore, store) || !maps.Equal(gotRest, rest) {
		h.t.Errorf("%s: calls to DynamoDB %v and others %v, want %v and %v", what, gotStore, gotRest, store, rest)
	}
}

func TestRotateFindsWhatChanged(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("miden", "miden", map[string]any{"keep_warm": true, "scope": "read"})
	h.put("cold", "minut", nil)
	h.start("rotate")
	h.start("vend")
	h.checkDiscovery("two secrets that were added", rotate.Report{Learnt: 2})
	h.checkTick("one to be kept warm", rotate.Report{Renewed: 1})
	old := h.token("miden")
	h.put("miden", "miden", map[string]any{"keep_warm": true, "scope": "write"})
	h.put("late", "monta", map[string]any{"keep_warm": true})
	h.checkDiscovery("one that changed, and one that came later", rotate.Report{Learnt: 2})
	h.checkTick("one that changed, and one that came later", rotate.Report{Renewed: 2})
	h.start("vend").Kill()
	h.runtimes["vend"] = freshRuntime(h)
	h.start("vend")
	if got := h.token("miden"); got.Fingerprint == old.Fingerprint || got.Scope != "write" {
		t.Errorf("token(miden) after the change = %+v, want another with the scope write", got)
	}
	if n := h.sim.Stats().Providers["miden"].TokenRequests; n != 2 {
		t.Errorf("miden had %d token requests, want 2: one for each scope", n)
	}
	h.remove("late")
	h.checkDiscovery("one that was removed", rotate.Report{Gone: 1})
}

// remove removes the secret of a credential.
func (h *installation) remove(name string) {
	h.t.Helper()
	id, force := h.prefix+name, true
	if _, err := h.secrets.DeleteSecret(h.t.Context(),
		&secretsmanager.DeleteSecretInput{SecretId: &id, ForceDeleteWithoutRecovery: &force}); err != nil {
		h.t.Fatal(err)
	}
}

func TestRotateOneNow(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("movemint", "movemint", nil)
	h.start("rotate")
	now := []byte(`{"credential":"movemint"}`)
	if got := h.rotate(now); got.Error != "" || got.Renewed != 1 {
		t.Errorf("rotate(movemint) = %+v, want one renewed", got)
	}
	if got := h.rotate(now); got.Error != "" || h.sim.Stats().Providers["movemint"].TokenRequests != 1 {
		t.Errorf("rotate(movemint) again = %+v, want the token kept", got)
	}
}

func TestRotateNeverFails(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("broken", "minut", map[string]any{"client_id": 7})
	h.put("refused", "minut", map[string]any{"keep_warm": true, "client_secret": "not-that-secret"})
	h.addSecret("a client secret", "not-that-secret")
	h.start("rotate")
	h.checkDiscovery("two secrets that were added", rotate.Report{Learnt: 2})
	if got := h.tick(); got.Failed != 1 {
		t.Errorf("tick() = %+v, want one failed", got)
	}
	for payload, wants := range map[string]bool{
		``: false, `null`: false, `{}`: false, `[]`: true, `{`: true, `{"credential":7}`: true,
		`{"source":"aws.events"}`:  true,
		`{"credentail":"refused"}`: true, `{"discover":true}`: false, `{"discover":1}`: true,
		`{"discover":true,"credential":"refused"}`: true, `{"worker":1}`: true, `{"worker":0,"of":1}`: true,
		`{"worker":3,"of":2}`: true, `{"worker":1,"of":3}`: true, `{"worker":1,"of":16}`: true,
		`{"worker":1,"of":2,"discover":true}`: true, `{"worker":2,"of":8}`: false,
		`{"credential":""}`: true, `{"ping":false}`: true,
		`{"credential":"../x"}`: true, `{"credential":"absent"}`: true, `{"credential":"broken"}`: true,
		`{"credential":"refused"}`: true,
	} {
		if got := h.rotate([]byte(payload)); (got.Error != "") != wants {
			t.Errorf("rotate(%s) = %+v, want an error in it: %t", payload, got, wants)
		}
	}
}

func TestPingAndEventsAskNothing(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.start("vend")
	h.start("rotate")
	h.take("vend")
	h.take("rotate")
	ping := []byte(`{"ping":true}`)
	for what, got := range map[string]func() ([]byte, *testbed.FunctionError){
		"vend as admin": func() ([]byte, *testbed.FunctionError) { return h.invoke("vend", "admin", ping) },
		"vend as api":   func() ([]byte, *testbed.FunctionError) { return h.invoke("vend", "api", ping) },
		"vend":          func() ([]byte, *testbed.FunctionError) { return h.invoke("vend", "", ping) },
		"vend, scheduled": func() ([]byte, *testbed.FunctionError) {
			return h.invoke("vend", "", golden(t, "schedule.event.json"))
		},
		"rotate": func() ([]byte, *testbed.FunctionError) { return h.invoke("rotate", "", ping) },
	} {
		if answer, failed := got(); failed != nil || string(answer) != `{"ok":true}` {
			t.Errorf("%s: %s, %v; want {\"ok\":true}", what, answer, failed)
		}
	}
	answer, failed := h.invoke("vend", "api",
		event(t, httpAPI, call{method: "POST", path: "/tokens/minut", body: string(ping)}))
	if failed != nil || read[reply](t, answer).Status != http.StatusNoContent {
		t.Errorf("a ping over the API: %s, %v; want the status 204", answer, failed)
	}
	for _, function := range []string{"vend", "rotate"} {
		if store, rest := h.take(function); len(store)+len(rest) > 0 {
			t.Errorf("%s asked AWS for %v and %v, want nothing", function, store, rest)
		}
	}
	for _, p := range h.processes {
		if said := p.Output(); strings.Contains(said, `"msg":"refusal"`) || strings.Contains(said, `"Refusals"`) {
			t.Errorf("a ping is logged as a refusal: %s", said)
		}
	}
}

func TestRotateOpensWhatVendSealed(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("miden", "miden", map[string]any{"scope": "read"})
	h.start("vend")
	h.start("rotate")
	first := h.token("miden")
	h.put("miden", "miden", map[string]any{"scope": "write"})
	h.take("rotate")
	h.checkDiscovery("a secret that changed", rotate.Report{Learnt: 1})
	h.checkTick("a secret that changed", rotate.Report{Renewed: 1})
	if _, rest := h.take("rotate"); rest["Decrypt"] == 0 {
		t.Errorf("the calls of rotate = %v, want Decrypt", rest)
	}
	if s := h.status("miden"); s.Generation != 2 || s.Fingerprint == first.Fingerprint || s.Scope != "write" {
		t.Errorf("status(miden) after the change = %+v, want another token with the scope write", s)
	}
}
