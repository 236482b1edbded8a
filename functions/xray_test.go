package functions_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

const (
	xrayTrace  = "1-5759e988-bd862e3fe1be46a994272793"
	xrayHeader = "Root=" + xrayTrace + ";Parent=53995c3f42cd8ad8;Sampled="
)

// subsegments returns the operations of the subsegments, or the methods of
// requests, by their names. The secrets of the installation are searched for.
func (h *installation) subsegments(datagrams [][]byte) map[string][]string {
	h.t.Helper()
	calls := map[string][]string{}
	for _, datagram := range datagrams {
		h.leaks.Search(h.t, "a subsegment", datagram)
		s, err := testbed.ReadSubsegment(datagram)
		if err != nil || s.TraceID != xrayTrace || s.ParentID != "53995c3f42cd8ad8" {
			h.t.Errorf("ReadSubsegment(%s) = %+v, %v, want one of the invocation's trace", datagram, s, err)
		}
		calls[s.Name] = append(calls[s.Name], s.AWS.Operation+s.HTTP.Request.Method)
	}
	return calls
}

// traceIDs returns how many lines of a process's log have the trace ID, and
// how many have another one or none. The lines of its start are left out.
func traceIDs(p *testbed.Bootstrap) (with, without int) {
	p.Kill()
	for all := bufio.NewScanner(strings.NewReader(p.Output())); all.Scan(); {
		var line struct {
			Msg   string
			Trace string `json:"trace_id"`
		}
		switch err := json.Unmarshal(all.Bytes(), &line); {
		case err != nil, line.Msg == "start":
		case line.Trace == xrayTrace:
			with++
		default:
			without++
		}
	}
	return with, without
}

func TestCallsAreSubsegmentsOfXRay(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	daemon := testbed.ListenAsXRayDaemon(t)
	h.runtimes["vend"].Trace = xrayHeader + "1"
	p := h.start("vend", boot.EnvTracing+"=on", "AWS_XRAY_DAEMON_ADDRESS="+daemon.Address)
	token := h.token("minut")
	h.token("minut") // from memory: no call
	p.Kill()
	calls := h.subsegments(daemon.Received(t))
	var provider string
	for name := range calls {
		if strings.HasSuffix(name, "minut.com") {
			provider = name
		}
	}
	if !reflect.DeepEqual(calls["Secrets Manager"], []string{"GetSecretValue"}) ||
		!slices.Contains(calls["KMS"], "GenerateDataKey") || !slices.Contains(calls["DynamoDB"], "UpdateItem") ||
		!reflect.DeepEqual(calls[provider], []string{"POST"}) || len(calls) != 4 {
		t.Errorf("the subsegments of a mint of %s = %v, want DynamoDB, Secrets Manager, KMS and the provider",
			token.Fingerprint, calls)
	}
	if with, without := traceIDs(p); with < 3 || without != 0 { // a mint, two vends
		t.Errorf("%d lines have the trace ID and %d have not, want all", with, without)
	}
}

func TestRotatesCallsAreSubsegmentsOfXRay(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", nil)
	daemon := testbed.ListenAsXRayDaemon(t)
	h.runtimes["rotate"].Trace = xrayHeader + "1"
	p := h.start("rotate", boot.EnvTracing+"=on", "AWS_XRAY_DAEMON_ADDRESS="+daemon.Address)
	if _, failed := h.invoke("rotate", "", []byte(`{"credential":"minut"}`)); failed != nil {
		t.Errorf("invoke(rotate) = %v, want a renewal", failed)
	}
	p.Kill()
	calls := h.subsegments(daemon.Received(t))
	if names := slices.Sorted(maps.Keys(calls)); len(names) != 4 || names[0] != "DynamoDB" {
		t.Errorf("the subsegments of a renewal = %v, want DynamoDB, Secrets Manager, KMS and the provider", calls)
	}
	if with, without := traceIDs(p); with == 0 || without != 0 {
		t.Errorf("%d lines have the trace ID and %d have not, want all", with, without)
	}
}

// An invocation that is not sampled, and one without tracing, sends nothing.
func TestUnsampledInvocationSendsNothing(t *testing.T) {
	t.Parallel()
	for tracing, sampled := range map[string]string{"on": "0", "off": "1"} {
		h := newInstallation(t, simulator.Options{})
		h.put("minut", "minut", nil)
		daemon := testbed.ListenAsXRayDaemon(t)
		h.runtimes["vend"].Trace = xrayHeader + sampled
		p := h.start("vend", boot.EnvTracing+"="+tracing, "AWS_XRAY_DAEMON_ADDRESS="+daemon.Address)
		h.token("minut")
		with, without := traceIDs(p)
		if (with > 0) != (tracing == "on") || (without > 0) != (tracing == "off") {
			t.Errorf("tracing %s: %d lines have the trace ID and %d have not", tracing, with, without)
		}
		if all := daemon.Received(t); len(all) > 0 {
			t.Errorf("tracing %s, Sampled=%s: the daemon got %q, want nothing", tracing, sampled, all)
		}
	}
}

// The roles may write to X-Ray with the parameter Tracing alone, and then two
// actions and no more.
func TestRolesMayWriteTracesWithTracingAlone(t *testing.T) {
	t.Parallel()
	for role, function := range map[string]string{"VendRole": "VendFunction", "RotateRole": "RotateFunction"} {
		for tracing, want := range map[string]struct {
			actions []string
			mode    string
		}{
			"on":  {[]string{"xray:PutTraceSegments", "xray:PutTelemetryRecords"}, "Active"},
			"off": {nil, "PassThrough"},
		} {
			given := map[string]any{"Tracing": tracing}
			if got := xrayActions(t, role, given); !slices.Equal(got, want.actions) {
				t.Errorf("%s allows %v with Tracing %s, want %v", role, got, tracing, want.actions)
			}
			mode := testbed.Property(t, function, "TracingConfig", given)
			if !reflect.DeepEqual(mode, map[string]any{"Mode": want.mode}) {
				t.Errorf("%s.TracingConfig = %v with Tracing %s, want %s", function, mode, tracing, want.mode)
			}
		}
	}
}

// xrayActions returns the actions of X-Ray that a role allows.
func xrayActions(t *testing.T, role string, given map[string]any) (actions []string) {
	t.Helper()
	text, err := json.Marshal(testbed.Property(t, role, "Policies", given))
	if err != nil {
		t.Fatal(err)
	}
	var policies []struct {
		PolicyDocument struct{ Statement testbed.Policy }
	}
	if err := json.Unmarshal(text, &policies); err != nil {
		t.Fatal(err)
	}
	for _, p := range policies {
		for _, s := range p.PolicyDocument.Statement {
			if strings.Contains(strings.Join(s.Action, " "), "xray:") {
				actions = append(actions, s.Action...)
			}
		}
	}
	return actions
}
