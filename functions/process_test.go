package functions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/testbed"
)

func TestAMisconfiguredFunctionNamesEverySettingAndEnds(t *testing.T) {
	t.Parallel()
	for function := range logical {
		p := testbed.NewRuntime(time.Second).Start(t, bootstrap(t, build{function: function}), boot.EnvSealing+"=maybe", boot.EnvProxy+"=ftp://x", "AWS_SECRET_ACCESS_KEY=hush")
		said := p.Output()
		for _, name := range []string{boot.EnvTable, boot.EnvSealing, boot.EnvProxy, boot.EnvSealKey, boot.EnvSealID, "AWS_REGION", "AWS_ACCESS_KEY_ID"} {
			if !strings.Contains(said, name) {
				t.Errorf("%s does not name %s in:\n%s", function, name, said)
			}
		}
		if !p.Ended() || strings.Contains(said, "hush") || strings.Contains(said, "maybe") {
			t.Errorf("%s runs on (%t), or shows a value:\n%s", function, !p.Ended(), said)
		}
	}
}

func TestAProcessThatDiesTakesNoOtherWithIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.put("monta", "monta", nil)
	if err := h.sim.SetFault("minut", simulator.Fault{Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	p := h.start("vend")
	died := make(chan *testbed.FunctionError)
	go func() {
		_, failed := h.invoke("vend", "", []byte(`{"credential":"minut"}`))
		died <- failed
	}()
	for h.sim.Stats().Providers["minut"].ConcurrentMax == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	p.Kill()
	if failed := <-died; failed == nil || failed.ErrorType != "Runtime.ExitError" {
		t.Errorf("the invocation ended with %v", failed)
	}
	h.start("vend")
	h.token("monta")
}

func TestWhoWaitsIsAnsweredBeforeTheTimeout(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	h.put("minut", "minut", nil)
	if err := h.sim.SetFault("minut", simulator.Fault{Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	h.start("vend")
	began := time.Now()
	_, refused := h.direct("", api.Request{Credential: "minut"})
	if codeOf(refused) != api.ProviderUnavailable || refused.RetryAfter <= 0 {
		t.Errorf("got %v", refused)
	}
	t.Logf("a provider that hangs: answered after %v", time.Since(began).Round(time.Millisecond))
}

func TestNothingSecretIsEverWritten(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	_, secret := h.sim.ClientFor("minut")
	h.start("vend", boot.EnvLogLevel+"=debug")
	h.start("rotate", boot.EnvLogLevel+"=debug")
	const canary = "canary-0123456789abcdef"
	h.hush("a token in a broken answer", canary)
	for name, fault := range map[string]simulator.Fault{
		"told":     {Status: 401, Body: `{"error":"invalid_client","error_description":"no client with secret ` + secret + `"}`},
		"echoed":   {Status: 400, Body: `{"error":"` + secret + `"}`},
		"html":     {Status: 500, HTML: true, Body: secret},
		"cut":      {Cut: true},
		"typed":    {Set: map[string]string{"token_type": `"` + canary + `"`}},
		"split":    {Body: `{"access_token":"` + canary + `\r\nX: y","token_type":"Bearer","expires_in":60}`},
		"trailing": {Body: `{"access_token":"` + canary + `","expires_in":60} x`},
		"never":    {Expiry: `"` + canary + `"`},
	} {
		h.put(name, "minut", map[string]any{"keep_warm": true})
		if err := h.sim.SetFault("minut", fault); err != nil {
			t.Fatal(err)
		}
		_, refused := h.direct("admin", api.Request{Credential: name})
		if refused == nil || strings.Contains(refused.Detail, secret) || strings.Contains(refused.Detail, canary) {
			t.Errorf("%s: %v", name, refused)
		}
		h.tick()
		h.status(name)
	}
	h.put("broken", "minut", map[string]any{"client_id": canary, "client_secrets": canary})
	h.expect("admin", api.Request{Credential: "broken"}, api.Misconfigured)
	h.tableHolds(t.Context(), secret, canary)
}
