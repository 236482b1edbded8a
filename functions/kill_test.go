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

// holder starts a process that has a lease on minut's entry, and ends its invocation wherever it is.
func (h *house) holder() *testbed.Bootstrap {
	h.t.Helper()
	h.put("minut", "minut", nil)
	p := h.start("vend")
	h.expect("admin", api.Request{Credential: "minut", Action: api.Status}, "") // it knows the terms now, and writes nothing but the lease and the commit
	return p
}

func (h *house) askInTheBackground() {
	go func() {
		_, _, _ = h.runtimes["vend"].Invoke(h.t.Context(), h.arn("vend", ""), []byte(`{"credential":"minut"}`))
	}()
}

func TestFault07_TheHolderDiesBetweenTheAnswerAndTheCommit(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	holder := h.holder()
	committing, release := h.aws["vend"].store.Hold("UpdateItem", 1) // the lease passes
	h.askInTheBackground()
	<-committing

	leased := time.Now()
	holder.Kill()
	time.Sleep(200 * time.Millisecond) // the proxy has noticed: what is forwarded for a dead client goes nowhere
	release()

	impatient := testbed.NewRuntime(5 * time.Second)
	h.runtimes["vend"], impatient = impatient, h.runtimes["vend"]
	for range 3 {
		h.start("vend")
	}
	answer, refused := h.direct("admin", api.Request{Credential: "minut"})
	if refused == nil {
		t.Fatalf("while the lease lives, answered with %d bytes", len(answer))
	}
	rest := mint.LeaseTTL - time.Since(leased)
	if codeOf(refused) != api.ProviderUnavailable || (refused.RetryAfter-rest).Abs() > 2*time.Second {
		t.Errorf("while the lease lives: %v, to come back in %v; %v of it are left", refused, refused.RetryAfter, rest)
	}

	h.runtimes["vend"] = impatient
	for range 4 {
		h.start("vend")
	}
	time.Sleep(time.Until(leased.Add(mint.LeaseTTL + time.Second)))
	got := h.token("minut")
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 || h.status("minut").Fingerprint != got.Fingerprint {
		t.Errorf("%d token requests, want 2", n)
	}
}

func TestFault08_AHolderThatWasStoppedWhileItCommittedIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	holder := h.holder()
	committing, release := h.aws["vend"].store.Hold("UpdateItem", 1)
	defer release()
	h.askInTheBackground()
	<-committing
	stop(t, holder, syscall.SIGSTOP)
	time.Sleep(mint.LeaseTTL + time.Second)
	h.start("vend")
	got := h.token("minut")
	release() // the commit arrives now: its sender is only stopped, and its connection stands
	h.unmoved(holder, got)
}

// unmoved lets a stopped holder go on, and sees that it changes nothing.
func (h *house) unmoved(holder *testbed.Bootstrap, got api.Token) {
	h.t.Helper()
	time.Sleep(time.Second)
	stop(h.t, holder, syscall.SIGCONT)
	time.Sleep(time.Second)
	if s := h.status("minut"); s.Fingerprint != got.Fingerprint || s.Generation != 1 {
		h.t.Errorf("the entry is %+v, want the token of who came after", s)
	}
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 {
		h.t.Errorf("%d token requests, want 2", n)
	}
}

func TestFault08_AHolderThatWasStoppedWhileItAskedIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, simulator.Options{})
	holder := h.holder()
	if err := h.sim.SetFault("minut", simulator.Fault{Delay: 2 * time.Second, Times: 1}); err != nil {
		t.Fatal(err)
	}
	h.askInTheBackground()
	for h.sim.Stats().Providers["minut"].ConcurrentMax == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	stop(t, holder, syscall.SIGSTOP)
	time.Sleep(mint.LeaseTTL + time.Second)
	h.start("vend")
	h.unmoved(holder, h.token("minut"))
}

func stop(t *testing.T, p *testbed.Bootstrap, s syscall.Signal) {
	t.Helper()
	if err := p.Signal(s); err != nil {
		t.Fatal(err)
	}
}
