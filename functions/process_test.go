package functions_test

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

func TestMisconfiguredFunctionNamesEverySettingAndEnds(t *testing.T) {
	t.Parallel()
	for function := range logical {
		p := testbed.NewRuntime(time.Second).Start(t, bootstrap(t, build{function: function}),
			boot.EnvSealing+"=maybe", boot.EnvProxy+"=ftp://x", "AWS_SECRET_ACCESS_KEY=hush")
		output := p.Output()
		for _, name := range []string{boot.EnvTable, boot.EnvSealing, boot.EnvProxy, boot.EnvSealKey, boot.EnvSealID,
			"AWS_REGION", "AWS_ACCESS_KEY_ID"} {
			if !strings.Contains(output, name) {
				t.Errorf("the output of %s = %s, want %s named", function, output, name)
			}
		}
		if !p.Ended() || strings.Contains(output, "hush") || strings.Contains(output, "maybe") {
			t.Errorf("%s ended %t with %s, want true and no value", function, p.Ended(), output)
		}
	}
}

// A function whose settings are wrong writes its version too.
func TestStartLineHasTheVersion(t *testing.T) {
	t.Parallel()
	for function := range logical {
		for _, version := range []string{"", "v9.8.7"} {
			t.Run(function+version, func(t *testing.T) {
				t.Parallel()
				p := testbed.NewRuntime(time.Second).Start(t, bootstrap(t, build{function: function, version: version}))
				first, _, _ := strings.Cut(p.Output(), "\n")
				var line struct{ Msg, Version, Go string }
				err := json.Unmarshal([]byte(first), &line)
				if err != nil || line.Msg != "start" || line.Version == "" ||
					version != "" && line.Version != version || line.Go != runtime.Version() {
					t.Errorf("the first line of %s = %s, want the start of version %q", function, first, version)
				}
			})
		}
	}
}

func TestDeadProcessHarmsNoOther(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	h.put("monta", "monta", nil)
	if err := h.sim.SetFault("minut", simulator.Fault{Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	p := h.start("vend")
	died := make(chan *testbed.FunctionError)
	go func() {
		_, failed := h.invoke("vend", "admin", []byte(`{"credential":"minut"}`))
		died <- failed
	}()
	for h.sim.Stats().Providers["minut"].ConcurrentMax == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	p.Kill()
	if failed := <-died; failed == nil || failed.ErrorType != "Runtime.ExitError" {
		t.Errorf("invoke() = %v, want Runtime.ExitError", failed)
	}
	h.start("vend")
	h.token("monta")
}

func TestWaitingCallerIsAnsweredBeforeTheTimeout(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	if err := h.sim.SetFault("minut", simulator.Fault{Delay: time.Minute}); err != nil {
		t.Fatal(err)
	}
	h.start("vend")
	began := time.Now()
	_, refused := h.direct("admin", api.Request{Credential: "minut"})
	if codeOf(refused) != api.ProviderUnavailable || refused.RetryAfter <= 0 {
		t.Errorf("direct(minut) = %v, want provider_unavailable with a retry time", refused)
	}
	t.Logf("a provider that hangs: answered after %v", time.Since(began).Round(time.Millisecond))
}
