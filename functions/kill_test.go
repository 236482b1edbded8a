package functions_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/mint"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// startHolder starts a process that reads the terms of minut. It then writes
// nothing but the lease and the commit.
func (h *installation) startHolder() *testbed.Bootstrap {
	h.t.Helper()
	h.put("minut", "minut", nil)
	p := h.start("vend")
	h.expect("admin", api.Request{Credential: "minut", Action: api.Status}, "")
	return p
}

func (h *installation) invokeInBackground() {
	go func() {
		_, _, _ = h.runtimes["vend"].Invoke(h.t.Context(), h.arn("vend", ""), []byte(`{"credential":"minut"}`))
	}()
}

func TestFault07_TheHolderDiesBetweenTheAnswerAndTheCommit(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	holder := h.startHolder()
	committing, release := h.aws["vend"].store.Hold("UpdateItem", 1) // the lease passes
	h.invokeInBackground()
	<-committing

	leased := time.Now()
	holder.Kill()
	time.Sleep(200 * time.Millisecond) // until the proxy drops what it forwards for the dead client
	release()

	former := testbed.NewRuntime(5 * time.Second)
	h.runtimes["vend"], former = former, h.runtimes["vend"]
	for range 3 {
		h.start("vend")
	}
	answer, refused := h.direct("admin", api.Request{Credential: "minut"})
	// on a machine under load the store may be slower than a call waits
	for codeOf(refused) == api.StoreUnavailable && time.Since(leased) < mint.LeaseTTL/2 {
		answer, refused = h.direct("admin", api.Request{Credential: "minut"})
	}
	if refused == nil {
		t.Fatalf("direct() during the lease = %d bytes, want provider_unavailable", len(answer))
	}
	rest := mint.LeaseTTL - time.Since(leased)
	if codeOf(refused) != api.ProviderUnavailable || (refused.RetryAfter-rest).Abs() > 2*time.Second {
		t.Errorf("direct() during the lease = %v, retry after %v, want provider_unavailable and %v", refused,
			refused.RetryAfter, rest)
	}

	h.runtimes["vend"] = former
	for range 4 {
		h.start("vend")
	}
	time.Sleep(time.Until(leased.Add(mint.LeaseTTL + time.Second)))
	got := h.token("minut")
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 || h.status("minut").Fingerprint != got.Fingerprint {
		t.Errorf("minut had %d token requests, want 2", n)
	}
}

func TestFault08_AHolderThatWasStoppedWhileItCommittedIsRefused(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	holder := h.startHolder()
	committing, release := h.aws["vend"].store.Hold("UpdateItem", 1)
	defer release()
	h.invokeInBackground()
	<-committing
	stop(t, holder, syscall.SIGSTOP)
	time.Sleep(mint.LeaseTTL + time.Second)
	h.start("vend")
	got := h.token("minut")
	release() // the commit arrives now: its sender is stopped, and its connection is open
	h.checkUnchanged(holder, got)
}

// checkUnchanged continues a stopped holder, and checks that it changes
// nothing.
func (h *installation) checkUnchanged(holder *testbed.Bootstrap, got api.Token) {
	h.t.Helper()
	time.Sleep(time.Second)
	stop(h.t, holder, syscall.SIGCONT)
	time.Sleep(time.Second)
	if s := h.status("minut"); s.Fingerprint != got.Fingerprint || s.Generation != 1 {
		h.t.Errorf("status(minut) = %+v, want %s of generation 1", s, got.Fingerprint)
	}
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 {
		h.t.Errorf("minut had %d token requests, want 2", n)
	}
}

func TestFault08_AHolderThatWasStoppedWhileItAskedIsRefused(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	holder := h.startHolder()
	if err := h.sim.SetFault("minut", simulator.Fault{Delay: 2 * time.Second, Times: 1}); err != nil {
		t.Fatal(err)
	}
	h.invokeInBackground()
	for h.sim.Stats().Providers["minut"].ConcurrentMax == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	stop(t, holder, syscall.SIGSTOP)
	time.Sleep(mint.LeaseTTL + time.Second)
	h.start("vend")
	h.checkUnchanged(holder, h.token("minut"))
}

func stop(t *testing.T, p *testbed.Bootstrap, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}
